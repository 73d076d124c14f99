"""Which signals excite the units of a network most, and where: the strongest of many signals, stage by stage.

A unit is a channel where one set of weights looks at every position, and a channel at one position behind `local`
or `flatten`, where each position has weights of its own. A unit is excited by a large value, sign and all. Padding
excites nothing. Must not know packs, contracts, labels or drawings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vicinal.representations.engine import Engine
from vicinal.representations.layers.local import Local
from vicinal.representations.layers.pool import Flatten
from vicinal.representations.network import Network

__all__ = ["Excitation", "Peaks", "excitations", "peaks"]

_NOTHING = -torch.inf


@dataclass(frozen=True)
class Peaks:
    """The greatest value of every unit of one stage in each signal of a batch.

    Args:    text: of the stage.  shape: (channels, *positions) or (features,).  own: whether each position has
             weights of its own, so that a unit is one channel there.
             outputs, lengths: all that the stage gives.  values: -inf where a signal has no position for the unit.
             positions: where, counted row by row in images; -1 for features.
    """

    text: str
    shape: tuple[int, ...]
    own: bool
    outputs: Float[Tensor, "batch channels *positions"]
    lengths: Int64[Tensor, " batch"] | None
    values: Float[Tensor, "batch units"]
    positions: Int64[Tensor, "batch units"]

    def unit(self, index: int) -> tuple[int, tuple[int, ...] | None]:
        """Return the channel (or feature) of a unit, and its position where the unit stays at one."""
        return _unit(index, self.shape, own=self.own)

    def place(self, row: int, index: int) -> tuple[int, ...]:
        """Return where the unit is strongest in a row: a position on each axis, or the feature's number."""
        return _place(int(self.positions[row, index]), index, self.shape)


@dataclass(frozen=True)
class Excitation:
    """The strongest signals of every unit of one stage, the strongest first.

    Args:    text, shape, own: see `Peaks`.  values: -inf where there were fewer signals.
             rows: the signals, numbered in the order they came.  positions: see `Peaks`.
             contrasts: by how many standard deviations the peaks of the signals of each group lie above those of
             the others; NaN where fewer than two of either are known. Empty without groups.
    """

    text: str
    shape: tuple[int, ...]
    own: bool
    values: Float[np.ndarray, "k units"]
    rows: Int64[np.ndarray, "k units"]
    positions: Int64[np.ndarray, "k units"]
    contrasts: Float[np.ndarray, "groups units"]

    def unit(self, index: int) -> tuple[int, tuple[int, ...] | None]:
        """Return the channel (or feature) of a unit, and its position where the unit stays at one."""
        return _unit(index, self.shape, own=self.own)

    def place(self, k: int, index: int) -> tuple[int, ...]:
        """Return where the unit was in its signal number k: a position on each axis, or the feature's number."""
        return _place(int(self.positions[k, index]), index, self.shape)


def excitations(
    network: Network,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    *,
    engine: Engine,
    n_strongest: int,
    groups: Float[np.ndarray, "rows groups"] | None = None,
) -> list[Excitation]:
    """Return the strongest signals of every unit, from a stream of batches, at most one place a signal.

    Memory holds one batch, its largest stage, and for each unit `n_strongest` numbers and six for each group.

    Args:    network: in evaluation mode, on the device of `engine`.  batches: (x, lengths) as for `Network`.
             n_strongest: signals a unit, > 0; among equal ones the earlier.
             groups: whether each signal, in the order they come, is of each group: 1, 0, or NaN where not known.
    Returns: one for each stage, repeated stages one by one; empty without batches.
    Raises:  NetworkError: when a batch does not have the shape of the network's input.
    """
    kept: list[_Kept] = []
    first = 0
    for x, lengths in batches:
        with torch.inference_mode(), engine.autocast():
            found = peaks(network, engine.tensor(x), engine.tensor(lengths))
            for index, one in enumerate(found):
                if index == len(kept):
                    kept.append(_Kept.empty(one, n_groups=0 if groups is None else groups.shape[1]))
                kept[index] = kept[index].with_batch(one, first=first, n_strongest=n_strongest)
                if groups is not None:
                    kept[index].count_(one.values, torch.from_numpy(groups[first : first + len(x)]))
        first += len(x)
    return [one.done() for one in kept]


def peaks(network: Network, x: Tensor, lengths: Tensor | None) -> Iterator[Peaks]:
    """Yield the greatest value of every unit in each signal, stage by stage. Arguments as for `Network.stages`."""
    own, real = False, None if lengths is None else _real(x, lengths)
    for layer, (text, outputs, left) in zip(network.layers(), network.walk(x, lengths), strict=True):
        values, shape = outputs.float(), layer.facts.shape
        own = own or isinstance(layer, Local | Flatten)
        if len(shape) > 1:
            real = None if left is None else _real(values, left)
            if real is not None:
                values = values.masked_fill(~real[:, None], _NOTHING)
            flat = values.flatten(2)
            if own:
                best, where = (
                    flat.flatten(1),
                    torch.arange(flat.shape[-1]).repeat(shape[0]).expand(len(x), -1),
                )
            else:
                best, where = flat.max(dim=2)
        else:
            # What a head gives sees everything; behind `flatten` alone a feature may still be padding.
            own = own and layer.facts.paths is not None
            real = real if own else None
            if real is not None:
                values = values.masked_fill(~real.repeat(1, values.shape[1] // real.shape[1]), _NOTHING)
            best, where = values, torch.full_like(values, -1, dtype=torch.int64)
        yield Peaks(text, shape, own and len(shape) > 1, outputs, left, best, where)


def _unit(index: int, shape: tuple[int, ...], *, own: bool) -> tuple[int, tuple[int, ...] | None]:
    if not own or len(shape) == 1:
        return index, None
    channel, *place = np.unravel_index(index, shape)
    return int(channel), tuple(map(int, place))


def _place(position: int, index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (index,) if len(shape) == 1 else tuple(map(int, np.unravel_index(position, shape[1:])))


def _real(values: Tensor, lengths: Tensor) -> Bool[Tensor, "batch time"]:
    return torch.arange(values.shape[-1], device=values.device) < lengths[:, None]


@dataclass(frozen=True)
class _Kept:
    """What is kept of one stage while batches stream by."""

    text: str
    shape: tuple[int, ...]
    own: bool
    values: Tensor
    rows: Tensor
    positions: Tensor
    sums: Tensor  # (3, 2, groups, units): number, sum and sum of squares of the peaks, outside a group and in it

    @classmethod
    def empty(cls, one: Peaks, *, n_groups: int) -> "_Kept":
        nothing = one.values[:0]
        sums = one.values.new_zeros((3, 2, n_groups, one.values.shape[1]), dtype=torch.float64)
        return cls(one.text, one.shape, one.own, nothing, nothing.long(), nothing.long(), sums)

    def count_(self, values: Float[Tensor, "batch units"], groups: Float[Tensor, "batch groups"]) -> None:
        """Add the peaks of a batch to the sums of each group, where there are any."""
        there = values.isfinite()
        peaks = values.double().masked_fill(~there, 0.0)
        for side in (0, 1):
            among = (groups == side).double().to(values.device).T
            for sums, what in zip(self.sums[:, side], (there.double(), peaks, peaks.square()), strict=True):
                sums += among @ what

    def contrasts(self) -> Float[np.ndarray, "groups units"]:
        """Return the difference of both means in standard deviations within the groups (Cohen's d)."""
        n, total, squares = (one.cpu().numpy() for one in self.sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = total / n
            around = np.clip(squares - total * means, 0, None).sum(axis=0)
            deviation = np.sqrt(around / (n.sum(axis=0) - 2))
            found = (means[1] - means[0]) / deviation
        found[(n < 2).any(axis=0) | (deviation == 0)] = np.nan
        told: Float[np.ndarray, "groups units"] = found
        return told

    def with_batch(self, one: Peaks, *, first: int, n_strongest: int) -> "_Kept":
        rows = torch.arange(first, first + len(one.values), device=one.values.device)
        values = torch.cat([self.values, one.values])
        # Stable, and what came earlier stands earlier: among equals the first signal stays.
        order = values.sort(dim=0, descending=True, stable=True).indices[:n_strongest]
        return replace(
            self,
            values=values.gather(0, order),
            rows=torch.cat([self.rows, rows[:, None].expand_as(one.values)]).gather(0, order),
            positions=torch.cat([self.positions, one.positions.to(rows.device)]).gather(0, order),
        )

    def done(self) -> Excitation:
        values, rows, positions = (one.cpu().numpy() for one in (self.values, self.rows, self.positions))
        return Excitation(self.text, self.shape, self.own, values, rows, positions, self.contrasts())
