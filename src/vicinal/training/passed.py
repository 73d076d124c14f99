"""What is passed into training, as protocols: rows in batches, an engine, and how a network is validated.

The rooms that make these never see this file; it says what training needs of them, and nothing else.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from jaxtyping import Float32, Int64
from torch import nn

__all__ = ["Batch", "Batches", "Engine", "Validate"]

Validate = Callable[[nn.Module], Mapping[str, float]]
"""Metrics of a network on validation rows, by name."""

Network = TypeVar("Network", bound=nn.Module)


class Batch(Protocol):
    """Rows of one step: inputs, lengths (None when all rows are full) and truth (b, K), of events (b, K, outputs).

    Inputs are an array, or a tensor where rows lie on a device.
    """

    @property
    def x(self) -> Float32[Any, "b channels *positions"]: ...  # noqa: D102
    @property
    def lengths(self) -> Int64[np.ndarray, " b"] | None: ...  # noqa: D102
    @property
    def y(self) -> Float32[np.ndarray, "b k *outputs"]: ...  # noqa: D102


class Batches(Protocol):
    """Training rows, in an order that depends on the epoch alone."""

    @property
    def n_steps(self) -> int: ...  # noqa: D102
    def epoch(self, k: int, /, *, first: int = 0) -> Iterator[Batch]: ...  # noqa: D102


class Engine(Protocol):
    """Where and in which precision the network runs."""

    @property
    def device(self) -> str: ...  # noqa: D102
    def place(self, network: Network, /) -> Network: ...  # noqa: D102
    def autocast(self) -> contextlib.AbstractContextManager[None]: ...  # noqa: D102
    def tensor(self, array: Any, /) -> Any: ...  # noqa: D102
