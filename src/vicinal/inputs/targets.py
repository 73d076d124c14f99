"""Targets: the events of many recordings, one after another, with the class that a network is to find at each.

Plain data. Must not know packs, networks or files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from vicinal.signal import Events

__all__ = ["Targets", "class_of_symbol", "targets_of"]


@dataclass(frozen=True)
class Targets:
    """m events, by recording and position.

    Args:    rows: (m,) in which row of the pack each lies.  positions: (m,) of the network's input.
             classes: (m,) index of its class, -1 where its symbol has none.  symbols: (m,).
    """

    rows: Int64[np.ndarray, " m"]
    positions: Int64[np.ndarray, " m"]
    classes: Int64[np.ndarray, " m"]
    symbols: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def truth(self, n_classes: int) -> Float64[np.ndarray, "m k"]:
        """Return 1 at the class of each event and 0 elsewhere; NaN throughout where it has none."""
        found: Float64[np.ndarray, "m k"] = np.eye(n_classes)[self.classes]
        found[self.classes < 0] = np.nan
        return found


def class_of_symbol(symbol: str, class_of: Mapping[str, str]) -> str:
    """Return the class of a symbol, "" where it has none; without a map a symbol is its own class."""
    return class_of.get(symbol, "") if class_of else symbol


def targets_of(
    found: Iterable[tuple[int, Events | None]], *, classes: Sequence[str], class_of: Mapping[str, str]
) -> Targets:
    """Put the events of many rows one after another.

    Args:    found: the index of each row with its events, None where it has no annotations.
             classes: K names.  class_of: class of each symbol, where symbols are not classes.
    """
    number = {name: k for k, name in enumerate(classes)}
    kept = [(row, events) for row, events in found if events is not None and len(events.symbols)]
    symbols = [symbol for _, events in kept for symbol in events.symbols]
    names = [number.get(class_of_symbol(symbol, class_of), -1) for symbol in symbols]
    return Targets(
        rows=np.repeat(
            np.array([row for row, _ in kept], dtype=np.int64), [len(events.symbols) for _, events in kept]
        ),
        positions=np.concatenate([np.empty(0, np.int64), *(events.positions for _, events in kept)]),
        classes=np.array(names, dtype=np.int64),
        symbols=np.array(symbols, dtype=str),
    )
