"""Inference: a contract proposed from signals, and what was seen of them.

One signal is in memory at a time; what stays of it are a few numbers (`_Facts`). A proposal is for a person to
read: each choice is stated with its rule. Knows signals and contracts; must not know files or networks.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32

from vicinal.errors import FormatError
from vicinal.inputs.contract import IMAGE, TIME, Contract, rate_ratio, unit_factor
from vicinal.signal import Signal

__all__ = ["Seen", "infer"]

_VALUES = 4096
"""Values of a channel that its usual size is taken from, evenly spaced."""

_MARGIN = 5.0
"""How far limits lie beyond the usual size of signals; wrong units are a thousand times as large."""

_HIGH_PASS_HZ, _HIGH_PASS_S = 0.5, 5.0
"""The high pass for volts, and the shortest input of which it leaves more than edges."""

_PIXEL_RANGES = ((0.0, 1.0), (0.0, 255.0), (0.0, 65535.0))

_N_BINS = 10

Counts = tuple[tuple[str, int], ...]
Bins = tuple[tuple[float, float, int], ...]
Key = TypeVar("Key", bound=Hashable)


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


@dataclass(frozen=True)
class _Channel:
    """What stays of one channel: its name as written, and numbers in its own unit."""

    name: str
    unit: str
    low: float
    high: float
    size: float
    missing: float


@dataclass(frozen=True)
class _Facts:
    """What stays of one signal; its channels by name without case."""

    axes: tuple[str, ...]
    rate_hz: float | None
    shape: tuple[int, ...]
    names: tuple[str, ...]
    channels: dict[str, _Channel]

    @property
    def duration_s(self) -> float:
        return self.shape[0] / (self.rate_hz or 1.0)


def infer(signals: Iterable[Signal], *, failures: Iterable[tuple[str, str]] = ()) -> tuple[Contract, Seen]:
    """Propose a contract that most of `signals` meet.

    Args:    signals: recordings or images, taken once and one at a time; some hundred are enough.
             failures: (file or id, reason) of what could not be read; it may grow while `signals` run.
    Returns: the contract, and what it rests on.
    Raises:  FormatError: when no signal has a value, or no channel.
    """
    facts = [_facts(signal) for signal in signals]
    failed = tuple(failures)
    usable = [one for one in facts if one.channels and one.axes in (TIME, IMAGE)]
    if not usable:
        shown = "".join(f"\n  {name}: {reason}" for name, reason in failed[:5])
        raise FormatError(
            f"no contract can be inferred: none of {len(facts) + len(failed)} recordings has a channel with a "
            f"value. Give recordings that can be read.{shown}"
        )
    axes = _most(one.axes for one in usable)
    reasons: list[str] = []
    alike = [one for one in usable if one.axes == axes]
    keys = _choose_channels(alike, reasons)
    having = [one for one in alike if all(key in one.channels for key in keys)]
    unit = _choose_unit(having, keys, reasons)
    propose = _along_time if axes == TIME else _of_images
    contract = Contract(
        axes=axes,
        channels=tuple(_most(one.channels[key].name for one in having) for key in keys),
        units=unit,
        **propose(having, keys, unit, reasons),
    )
    return contract, _seen(facts, failed, having, keys, contract, reasons)


def _facts(signal: Signal) -> _Facts:
    """Reduce a signal to what inference needs; a name that two channels bear points at neither."""
    folded = [_fold(name) for name in signal.channels]
    channels = {
        key: channel
        for key, name, unit, samples in zip(
            folded, signal.channels, signal.units, signal.samples, strict=True
        )
        if folded.count(key) == 1 and (channel := _channel(name.strip(), unit, samples.ravel())) is not None
    }
    return _Facts(signal.axes, signal.rate_hz, signal.samples.shape[1:], signal.channels, channels)


def _channel(name: str, unit: str, samples: Float32[np.ndarray, " n"]) -> _Channel | None:
    finite = np.isfinite(samples)
    missing = 1 - int(np.count_nonzero(finite)) / max(samples.size, 1)
    values = samples if missing == 0 else samples[finite]
    if values.size == 0:
        return None
    size = np.quantile(np.abs(values[:: max(1, values.size // _VALUES)]), 0.999)
    return _Channel(name, unit, float(values.min()), float(values.max()), float(size), missing)


def _fold(name: str) -> str:
    return name.strip().casefold()


def _most(values: Iterable[Key]) -> Key:
    """Return the most frequent value, the first met among equals."""
    return Counter(values).most_common(1)[0][0]


def _choose_channels(facts: Sequence[_Facts], reasons: list[str]) -> tuple[str, ...]:
    """Return the channels that all signals have, in the usual order; failing that, the most frequent one."""
    order = _most(tuple(map(_fold, one.names)) for one in facts)
    count = Counter(key for one in facts for key in one.channels)
    shared = [key for key in order if count[key] == len(facts)]
    if shared:
        reasons.append(f"channels: those in all {len(facts)} signals, in the order that most have")
        return tuple(shared)
    key, n = count.most_common(1)[0]
    reasons.append(
        f"channels: no channel is in all signals; the most frequent one is in {n} of {len(facts)}. Name it in "
        "aliases where it is called otherwise"
    )
    return (key,)


def _choose_unit(facts: Sequence[_Facts], keys: Sequence[str], reasons: list[str]) -> str:
    units = Counter(one.channels[key].unit for one in facts for key in keys)
    unit = units.most_common(1)[0][0]
    others = sorted(set(units) - {unit})
    convertible = [other for other in others if unit_factor(other, unit) is not None]
    words = "the only one" if not others else "the most frequent one"
    if convertible:
        words += f"; {', '.join(convertible)} is converted"
    reasons.append(f"units: {words}")
    return unit


def _along_time(
    facts: Sequence[_Facts], keys: Sequence[str], unit: str, reasons: list[str]
) -> dict[str, Any]:
    rates = Counter(one.rate_hz or 0.0 for one in facts)
    rate = rates.most_common(1)[0][0]
    resamples = any(rate_ratio(other, rate) != 1 for other in rates)
    words = (
        "the most frequent one; others are resampled, from half of it upwards"
        if resamples
        else "the only one"
    )
    reasons.append(f"rate_hz: {words}")
    duration, shortest = _choose_duration(facts, reasons)
    missing = min(_rounded(_upper(_missing(one, keys) for one in facts), digits=2, up=True), 0.5)
    steps: list[dict[str, Any]] = [{"step": "resample"}] if resamples else []
    if unit_factor(unit, "V") is not None and duration >= _HIGH_PASS_S and rate > 4 * _HIGH_PASS_HZ:
        steps.append({"step": "high_pass", "cutoff_hz": _HIGH_PASS_HZ})
        reasons.append("steps: a high pass, because electrodes drift")
    steps.append({"step": "scale", "by": "recording"})
    reasons.append('steps: scaled by each recording; take by = "constant" for a model that is to stream')
    return {
        "rate_hz": rate,
        "duration_s": max(duration, 1 / rate),
        "min_duration_s": shortest,
        "limits": _choose_limits(facts, keys, unit, reasons),
        "missing": missing,
        "steps": steps,
    }


def _choose_duration(facts: Sequence[_Facts], reasons: list[str]) -> tuple[float, float]:
    durations = np.array([one.duration_s for one in facts])
    shortest = float(np.quantile(durations, 0.01, method="lower"))
    longest, median = float(durations.max()), float(np.median(durations))
    if longest == durations.min():
        reasons.append("duration_s: that of all signals")
        return longest, longest
    if longest <= 1.5 * median:
        chosen, rule = (
            _rounded(longest, digits=3, up=True),
            "the longest, as it is at most half as long again as the median",
        )
    else:
        chosen, rule = (
            _rounded(median, digits=3),
            "the median; longer signals are cropped, shorter ones padded",
        )
    reasons.append(f"duration_s: {rule}")
    reasons.append("min_duration_s: what 99 in 100 signals have")
    return chosen, min(_rounded(shortest, digits=3), chosen)


def _choose_limits(
    facts: Sequence[_Facts], keys: Sequence[str], unit: str, reasons: list[str]
) -> tuple[float, float] | None:
    bound = _one_two_five(_MARGIN * _upper(_amplitude(one, keys, unit) for one in facts))
    if bound is None:
        return None
    reasons.append(f"limits: {_MARGIN:g} times the size that 99 in 100 signals keep to, rounded up")
    return -bound, bound


def _of_images(facts: Sequence[_Facts], keys: Sequence[str], unit: str, reasons: list[str]) -> dict[str, Any]:
    sizes = Counter(one.shape for one in facts)
    size = sizes.most_common(1)[0][0]
    steps: list[dict[str, Any]] = []
    if len(sizes) > 1:
        steps.append({"step": "resize"})
    reasons.append(
        "size: " + ("the most frequent one; others are resized" if steps else "that of all images")
    )
    low, high = _range(facts, keys, unit)
    known = [(a, b) for a, b in _PIXEL_RANGES if a <= low and b / 2 < high <= b]
    limits = known[0] if known else (low, high) if low < high else None
    if limits is not None:
        reasons.append("limits: " + ("the usual range" if known else "the least and the largest value"))
        centre, spread = (limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / 2
        steps.append({"step": "scale", "by": "constant", "centre": centre, "spread": spread})
        reasons.append("steps: scaled from the limits to -1 to 1")
    return {"size": size, "limits": limits, "steps": steps}


def _factor(channel: _Channel, unit: str) -> float:
    factor = unit_factor(channel.unit, unit)
    return math.nan if factor is None else factor


def _amplitude(one: _Facts, keys: Sequence[str], unit: str) -> float:
    return max(one.channels[key].size * _factor(one.channels[key], unit) for key in keys)


def _missing(one: _Facts, keys: Sequence[str]) -> float:
    return max(one.channels[key].missing for key in keys)


def _range(facts: Sequence[_Facts], keys: Sequence[str], unit: str) -> tuple[float, float]:
    """Return the least and the largest value, over what has the unit or converts to it."""
    pairs = [(one.channels[key], _factor(one.channels[key], unit)) for one in facts for key in keys]
    known = [(channel, factor) for channel, factor in pairs if math.isfinite(factor)]
    low, high = min(c.low * factor for c, factor in known), max(c.high * factor for c, factor in known)
    return low, high


def _upper(values: Iterable[float]) -> float:
    """Return what 99 in 100 values lie below, of few values the largest."""
    known = [value for value in values if math.isfinite(value)]
    return float(np.quantile(known, 0.99, method="higher"))


def _rounded(value: float, *, digits: int, up: bool = False) -> float:
    """Round down to so many significant digits, or up."""
    if value == 0:
        return 0.0
    places = digits - 1 - math.floor(math.log10(abs(value)))
    # A number that has no more digits stays as it is, whatever its last bit.
    nearest = round(value, places)
    if math.isclose(nearest, value, rel_tol=1e-9):
        return nearest
    step = 10.0**-places
    if up and nearest < value:
        nearest += step
    elif not up and nearest > value:
        nearest -= step
    return round(nearest, places)


def _one_two_five(value: float) -> float | None:
    """Return the next of 1, 2, 5, 10, 20, ... from `value` upwards."""
    if value == 0:
        return None
    power = math.floor(math.log10(value))
    found = next(step for step in (1, 2, 5, 10) if step * 10.0**power >= value * (1 - 1e-9))
    return float(f"{found}e{power}")


def _seen(
    facts: Sequence[_Facts],
    failed: tuple[tuple[str, str], ...],
    having: Sequence[_Facts],
    keys: Sequence[str],
    contract: Contract,
    reasons: Sequence[str],
) -> Seen:
    unit = contract.units
    low, high = _range(having, keys, unit)
    along = [one for one in facts if one.axes == TIME]
    sizes = [" x ".join(map(str, one.shape)) for one in facts if one.axes == IMAGE]
    misfits = Counter(field for one in facts for field in _misfits(one, keys, contract))
    return Seen(
        n_signals=len(facts),
        failures=failed,
        axes=_counted(", ".join(one.axes) for one in facts),
        channels=_counted(", ".join(one.names) for one in facts),
        rates=_counted(f"{one.rate_hz:g} Hz" for one in along),
        units=_counted(", ".join(dict.fromkeys(c.unit for c in one.channels.values())) for one in facts),
        sizes=_counted(sizes),
        durations_s=_histogram([one.duration_s for one in along]),
        amplitudes=_histogram([_amplitude(one, keys, unit) for one in having]),
        low=low,
        high=high,
        missing=max(_missing(one, keys) for one in having),
        n_constant=sum(any(one.channels[k].low == one.channels[k].high for k in keys) for one in having),
        reasons=tuple(reasons),
        misfits=tuple(misfits.most_common()),
    )


def _misfits(one: _Facts, keys: Sequence[str], contract: Contract) -> Iterator[str]:
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
        pairs = [(channel, _factor(channel, contract.units)) for channel in chosen]
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
