"""Seen: what a proposed contract rests on, and how many of the signals it would refuse.

Counts digests and compares them with a contract; must not know files, nor how a contract is chosen.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vicinal.inputs.contract import IMAGE, TIME, Contract, rate_ratio, unit_factor
from vicinal.inputs.digest import Digest, value_range

__all__ = ["Seen", "look_back"]

_N_BINS = 10

Counts = tuple[tuple[str, int], ...]
Bins = tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Seen:
    """What a proposal rests on.

    Args:    n_signals: how many were looked at.  failures: (file or id, reason) of what could not be read.
             axes, channels, rates, units, sizes: how many signals have which, the most frequent first, in
             words; channels are all names of a signal in its order.
             durations_s, amplitudes: histograms as (low, high, how many); the amplitude of a signal is the
             99.9 % quantile of its sizes without sign, in the unit of the proposal.
             low, high: the least and the largest value in the channels of the proposal, in its unit.
             missing: the largest share of missing values in one of these channels, 0 to 1.
             n_constant: signals with one of these channels that never changes.
             reasons: why each field of the proposal is as it is.
             misfits: how many of the signals the proposal refuses, by field.
    """

    n_signals: int
    failures: tuple[tuple[str, str], ...]
    axes: Counts
    channels: Counts
    rates: Counts
    units: Counts
    sizes: Counts
    durations_s: Bins
    amplitudes: Bins
    low: float
    high: float
    missing: float
    n_constant: int
    reasons: tuple[str, ...]
    misfits: Counts

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def look_back(
    digests: Sequence[Digest],
    failed: tuple[tuple[str, str], ...],
    having: Sequence[Digest],
    keys: Sequence[str],
    contract: Contract,
    reasons: Sequence[str],
) -> Seen:
    """Say what was seen of all signals, once a contract is chosen.

    Args:    digests: of all signals that could be read.  failed: (file or id, reason) of the others.
             having: those with all channels of the contract.  keys: its channels' folded names, in order.
    """
    unit = contract.units
    low, high = value_range(having, keys, unit)
    along = [one for one in digests if one.axes == TIME]
    sizes = [" x ".join(map(str, one.shape)) for one in digests if one.axes == IMAGE]
    misfits = Counter(field for one in digests for field in _misfits(one, keys, contract))
    return Seen(
        n_signals=len(digests),
        failures=failed,
        axes=_counted(", ".join(one.axes) for one in digests),
        channels=_counted(", ".join(one.names) for one in digests),
        rates=_counted(f"{one.rate_hz:g} Hz" for one in along),
        units=_counted(", ".join(dict.fromkeys(c.unit for c in one.channels.values())) for one in digests),
        sizes=_counted(sizes),
        durations_s=_histogram([one.duration_s for one in along]),
        amplitudes=_histogram([one.amplitude(keys, unit) for one in having]),
        low=low,
        high=high,
        missing=max(one.missing(keys) for one in having),
        n_constant=sum(any(one.channels[k].low == one.channels[k].high for k in keys) for one in having),
        reasons=tuple(reasons),
        misfits=tuple(misfits.most_common()),
    )


def _misfits(one: Digest, keys: Sequence[str], contract: Contract) -> Iterator[str]:
    """Yield the fields by which the proposal refuses a signal."""
    if one.axes != contract.axes:
        yield "axes"
        return
    chosen = [one.channels[key] for key in keys if key in one.channels]
    if len(chosen) < len(keys):
        yield "channels"
    if any(unit_factor(channel.unit, contract.units) is None for channel in chosen):
        yield "units"
    if any(channel.missing > contract.missing for channel in chosen):
        yield "missing"
    if contract.limits is not None and chosen:
        low, high = contract.limits
        pairs = [(channel, channel.factor_to(contract.units)) for channel in chosen]
        if any(channel.low * factor < low or channel.high * factor > high for channel, factor in pairs):
            yield "limits"
    if contract.rate_hz is not None and one.rate_hz is not None:
        ratio = rate_ratio(one.rate_hz, contract.rate_hz)
        if ratio > 2 or (ratio != 1 and not contract.resamples):
            yield "rate_hz"
        if one.duration_s < contract.min_duration_s:
            yield "min_duration_s"


def _counted(values: Iterable[str]) -> Counts:
    return tuple(Counter(values).most_common())


def _histogram(values: Sequence[float]) -> Bins:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ()
    if min(known) == max(known):
        return ((known[0], known[0], len(known)),)
    counts, edges = np.histogram(known, bins=_N_BINS)
    return tuple(
        (float(low), float(high), int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )
