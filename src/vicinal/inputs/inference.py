"""Inference: a contract proposed from signals.

One signal is in memory at a time; what stays of it are a few numbers (`Digest`). A proposal is for a person to
read: each choice is stated with its rule. Knows signals and contracts; must not know files or networks.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from vicinal.errors import FormatError
from vicinal.inputs.contract import IMAGE, TIME, Contract, rate_ratio, unit_factor
from vicinal.inputs.digest import Digest, digest, folded, value_range
from vicinal.inputs.seen import Seen, look_back
from vicinal.signal import Signal

__all__ = ["infer"]

_MARGIN = 5.0
"""How far limits lie beyond the usual size of signals; wrong units are a thousand times as large."""

_HIGH_PASS_HZ, _HIGH_PASS_S = 0.5, 5.0
"""The high pass for volts, and the shortest input of which it leaves more than edges."""

_PIXEL_RANGES = ((0.0, 1.0), (0.0, 255.0), (0.0, 65535.0))

Key = TypeVar("Key", bound=Hashable)


def infer(signals: Iterable[Signal], *, failures: Iterable[tuple[str, str]] = ()) -> tuple[Contract, Seen]:
    """Propose a contract that most of `signals` meet.

    Args:    signals: recordings or images, taken once and one at a time; some hundred are enough.
             failures: (file or id, reason) of what could not be read; it may grow while `signals` run.
    Returns: the contract, and what it rests on.
    Raises:  FormatError: when no signal has a value, or no channel.
    """
    digests = [digest(signal) for signal in signals]
    failed = tuple(failures)
    usable = [one for one in digests if one.channels and one.axes in (TIME, IMAGE)]
    if not usable:
        shown = "".join(f"\n  {name}: {reason}" for name, reason in failed[:5])
        raise FormatError(
            f"no contract can be inferred: none of {len(digests) + len(failed)} recordings has a channel with a "
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
    return contract, look_back(digests, failed, having, keys, contract, reasons)


def _most(values: Iterable[Key]) -> Key:
    """Return the most frequent value, the first met among equals."""
    return Counter(values).most_common(1)[0][0]


def _choose_channels(digests: Sequence[Digest], reasons: list[str]) -> tuple[str, ...]:
    """Return the channels that all signals have, in the usual order; failing that, the most frequent one."""
    order = _most(tuple(map(folded, one.names)) for one in digests)
    count = Counter(key for one in digests for key in one.channels)
    shared = [key for key in order if count[key] == len(digests)]
    if shared:
        reasons.append(
            f"channels: those in all {len(digests)} signals looked at, in the order that most have"
        )
        return tuple(shared)
    key, n = count.most_common(1)[0]
    reasons.append(
        f"channels: no channel is in all signals; the most frequent one is in {n} of {len(digests)}. Name it in "
        "aliases where it is called otherwise"
    )
    return (key,)


def _choose_unit(digests: Sequence[Digest], keys: Sequence[str], reasons: list[str]) -> str:
    units = Counter(one.channels[key].unit for one in digests for key in keys)
    unit = units.most_common(1)[0][0]
    others = sorted(set(units) - {unit})
    convertible = [other for other in others if unit_factor(other, unit) is not None]
    words = "the only one" if not others else "the most frequent one"
    if convertible:
        words += f"; {', '.join(convertible)} is converted"
    reasons.append(f"units: {unit}, {words}")
    return unit


def _along_time(
    digests: Sequence[Digest], keys: Sequence[str], unit: str, reasons: list[str]
) -> dict[str, Any]:
    rates = Counter(one.rate_hz or 0.0 for one in digests)
    rate = rates.most_common(1)[0][0]
    resamples = any(rate_ratio(other, rate) != 1 for other in rates)
    words = (
        "the most frequent one; others are resampled, from half of it upwards"
        if resamples
        else "the only one"
    )
    reasons.append(f"rate_hz: {rate:g}, {words}")
    duration, shortest = _choose_duration(digests, reasons)
    missing = min(_rounded(_upper(one.missing(keys) for one in digests), digits=2, up=True), 0.5)
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
        "limits": _choose_limits(digests, keys, unit, reasons),
        "missing": missing,
        "steps": steps,
    }


def _choose_duration(digests: Sequence[Digest], reasons: list[str]) -> tuple[float, float]:
    durations = np.array([one.duration_s for one in digests])
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
    digests: Sequence[Digest], keys: Sequence[str], unit: str, reasons: list[str]
) -> tuple[float, float] | None:
    bound = _one_two_five(_MARGIN * _upper(one.amplitude(keys, unit) for one in digests))
    if bound is None:
        return None
    reasons.append(f"limits: {_MARGIN:g} times the size that 99 in 100 signals keep to, rounded up")
    return -bound, bound


def _of_images(
    digests: Sequence[Digest], keys: Sequence[str], unit: str, reasons: list[str]
) -> dict[str, Any]:
    sizes = Counter(one.shape for one in digests)
    size = sizes.most_common(1)[0][0]
    steps: list[dict[str, Any]] = []
    if len(sizes) > 1:
        steps.append({"step": "resize"})
    reasons.append(
        "size: " + ("the most frequent one; others are resized" if steps else "that of all images")
    )
    low, high = value_range(digests, keys, unit)
    known = [(a, b) for a, b in _PIXEL_RANGES if a <= low and b / 2 < high <= b]
    limits = known[0] if known else (low, high) if low < high else None
    if limits is not None:
        reasons.append("limits: " + ("the usual range" if known else "the least and the largest value"))
        centre, spread = (limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / 2
        steps.append({"step": "scale", "by": "constant", "centre": centre, "spread": spread})
        reasons.append("steps: scaled from the limits to -1 to 1")
    return {"size": size, "limits": limits, "steps": steps}


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
