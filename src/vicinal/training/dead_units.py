"""Dead units: channels from which the next layer has had nothing but zeros for a while.

That is what a ReLU gives that is never positive, and a norm whose scale and shift are zero. They are seen where they
matter, at the input of each layer with weights, whatever stands before it. Knows modules and their inputs; must not
know what kind of layer they are.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64
from torch import Tensor, nn

__all__ = ["EVERY", "WINDOW", "DeadUnits"]

EVERY = 32
"""Steps from one look to the next: a look costs a small network a tenth of a step."""

WINDOW = 4
"""Looks in a row that must all have seen zeros; before so many there is no answer."""

_MOST_ROWS = 16
"""Of a batch, where a row has positions; a look then costs a small part of one pass over the activations."""


class DeadUnits:
    """Which units have been zero in every look of the window.

    The first layer that a batch reaches is left out: what it gets are signals, not units.

    Attributes: share: of all units that are dead; None before a full window, or without such units.
    """

    def __init__(self, network: nn.Module) -> None:
        self.share: float | None = None
        self._watched = {name: module for name, module in network.named_modules() if _has_weights(module)}
        self._n_looks = 0
        # For each layer the number of the last look, from 1, that saw a unit alive; 0 for none.
        self._last: dict[str, Int64[np.ndarray, " units"]] = {}

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Within it, see what each layer is given in one forward pass."""
        seen: dict[str, Tensor | None] = {}

        def hook(name: str) -> Any:
            def look(module: nn.Module, given: tuple[Any, ...]) -> None:
                x = given[0] if given else None
                seen.setdefault(name, _alive(x.detach(), module) if isinstance(x, Tensor) else None)

            return look

        handles = [module.register_forward_pre_hook(hook(name)) for name, module in self._watched.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
        self._n_looks += 1
        for name, alive in list(seen.items())[1:]:
            if alive is not None:
                last = self._last.setdefault(name, np.zeros(len(alive), dtype=np.int64))
                last[alive.cpu().numpy()] = self._n_looks
        self.share = self._sum_up()

    def by_layer(self) -> dict[str, tuple[int, int]]:
        """Return for the input of each layer how many units are dead, of how many; empty before a full window."""
        if self._n_looks < WINDOW:
            return {}
        oldest = self._n_looks - WINDOW
        return {name: (int((last <= oldest).sum()), len(last)) for name, last in self._last.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was seen so far: the number of looks, and of the last that saw each unit alive."""
        return {"n_looks": np.array(self._n_looks), **{f"last.{name}": a for name, a in self._last.items()}}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on as the one that had seen this."""
        self._n_looks = int(arrays["n_looks"])
        self._last = {
            name.removeprefix("last."): np.array(a) for name, a in arrays.items() if name != "n_looks"
        }
        self.share = self._sum_up()

    def _sum_up(self) -> float | None:
        found = self.by_layer().values()
        n_units = sum(n for _, n in found)
        return sum(n for n, _ in found) / n_units if n_units else None


def _has_weights(module: nn.Module) -> bool:
    return any(p.ndim > 1 for p in module.parameters(recurse=False))


def _alive(x: Tensor, module: nn.Module) -> Bool[Tensor, " units"]:
    """Return which units of an input are ever not zero; a unit is a channel or feature."""
    axis = x.ndim - 1 if isinstance(module, nn.Linear | nn.RNNBase) else 1
    others = tuple(k for k in range(x.ndim) if k != axis)
    rows = x if x.ndim == 2 else x[:_MOST_ROWS]
    # Two passes of a kernel for reductions: `any` over several axes takes ten times as long.
    return (rows.amax(dim=others) != 0) | (rows.amin(dim=others) != 0)
