"""Violation: one way in which a signal breaks a contract; `check` finds all of them at once.

What can be converted without loss of meaning (unit, order of channels, rate, length, with a step also the
size) is a convertible violation: `prepare.py` converts it. Knows signals and contracts; must not know data
sets, files or networks.
"""

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from vicinal.inputs.contract import IMAGE, Contract, choose_channels, rate_ratio, unit_factor
from vicinal.inputs.steps import HighPass, LowPass, Notch, Resample
from vicinal.signal import Signal

__all__ = ["Violation", "check"]

_MAX_RATIO = 50_000
"""Whole numbers above this in a ratio of rates would make resampling filters of millions of taps."""


@dataclass(frozen=True)
class Violation:
    """One way in which a signal differs from a contract.

    Args:    field: the field of the contract.  expected, got: in words.
             convertible: whether `prepare` removes the difference.
             message: one clause that says it all, with what to do where there is something.
    """

    field: str
    expected: str
    got: str
    convertible: bool
    message: str


def check(signal: Signal, contract: Contract) -> list[Violation]:
    """Return every violation of `contract` by `signal`, the convertible ones included."""
    if signal.axes != contract.axes:
        advice = "give a recording with these axes"
        return [_violation("axes", ", ".join(contract.axes), ", ".join(signal.axes), advice=advice)]
    found = choose_channels(signal.channels, contract)
    # Of two channels that fit one name neither is looked at: nobody knows which is meant.
    used = [indices[0] for indices in found if len(indices) == 1]
    return [
        *_channel_violations(signal, contract, found),
        *_unit_violations(signal, contract, used),
        *_extent_violations(signal, contract),
        *_sample_violations(signal, contract, used),
        *_event_violations(signal, contract),
    ]


def _violation(
    field: str, expected: str, got: str, *, convertible: bool = False, advice: str = ""
) -> Violation:
    message = f"{field}: expected {expected}, got {got}" + (f" ({advice})" if advice else "")
    return Violation(field, expected, got, convertible, message)


def _channel_violations(signal: Signal, contract: Contract, found: list[list[int]]) -> Iterator[Violation]:
    expected, got = ", ".join(contract.channels), ", ".join(signal.channels) or "none"
    missing = [name for name, indices in zip(contract.channels, found, strict=True) if not indices]
    if missing:
        advice = f"missing {', '.join(missing)}; give them, name them in aliases, or use another contract"
        yield _violation("channels", expected, got, advice=advice)
    for name, indices in zip(contract.channels, found, strict=True):
        if len(indices) > 1:
            several = ", ".join(signal.channels[index] for index in indices)
            advice = "rename the channels in the file, or drop an alias"
            yield _violation(
                "channels", f"one channel for {name}", f"{len(indices)}: {several}", advice=advice
            )
    used = [indices[0] for indices in found if len(indices) == 1]
    if len(used) == len(contract.channels) and used != list(range(len(signal.channels))):
        yield _violation(
            "channels", expected, got, convertible=True, advice="chosen by name and put in order"
        )


def _unit_violations(signal: Signal, contract: Contract, used: list[int]) -> Iterator[Violation]:
    for unit in dict.fromkeys(signal.units[index] for index in used):
        if unit == contract.units:
            continue
        factor = unit_factor(unit, contract.units)
        advice = "state the recording's unit; it is never guessed" if factor is None else f"times {factor:g}"
        yield _violation("units", contract.units, unit, convertible=factor is not None, advice=advice)


def _extent_violations(signal: Signal, contract: Contract) -> Iterator[Violation]:
    if signal.n_positions == 0:
        yield _violation("size" if contract.axes == IMAGE else "duration_s", "a recording", "no samples")
    elif contract.size is not None:
        yield from _size_violations(signal, contract, contract.size)
    if contract.rate_hz is not None and contract.duration_s is not None and signal.rate_hz is not None:
        yield from _rate_violations(signal.rate_hz, contract, contract.rate_hz)
        if signal.n_positions > 0:
            yield from _duration_violations(signal, contract, contract.duration_s)


def _size_violations(signal: Signal, contract: Contract, size: tuple[int, int]) -> Iterator[Violation]:
    got = signal.samples.shape[1:]
    if got == size:
        return
    steps = {step.step for step in contract.steps}
    smaller, larger = (any(map(compare, got, size)) for compare in (operator.lt, operator.gt))
    if "resize" in steps:
        convertible, advice = True, "resized"
    else:
        needed = {"pad": smaller, "crop": larger}
        lacking = [step for step, needs in needed.items() if needs and step not in steps]
        convertible = not lacking
        done = {"pad": "padded", "crop": f"cropped at the {contract.crop.where}"}
        advice = " and ".join(done[step] for step, needs in needed.items() if needs)
        if lacking:
            advice = f"add the step {' and '.join(lacking)}, or resize, to the contract"
    yield _violation(
        "size",
        f"{size[0]} x {size[1]} pixels",
        f"{got[0]} x {got[1]}",
        convertible=convertible,
        advice=advice,
    )


def _rate_violations(rate: float, contract: Contract, wanted: float) -> Iterator[Violation]:
    if rate < 0.001:
        yield _violation("rate_hz", f"{wanted:g} Hz", f"{rate:g} Hz")
    elif (ratio := rate_ratio(rate, wanted)) != 1:
        convertible, advice = contract.resamples, "resampled"
        if not contract.resamples:
            advice = "add the step resample to the contract"
        elif ratio > 2:
            convertible, advice = False, "below half the contract's rate, too little is left to restore"
        elif max(ratio.numerator, ratio.denominator) > _MAX_RATIO:
            convertible, advice = False, "their ratio has no small whole numbers; state the rate rounded"
        yield _violation(
            "rate_hz",
            f"{wanted:g} Hz",
            f"{rate:g} Hz",
            convertible=convertible,
            advice=advice,
        )
    for step in contract.steps:
        if isinstance(step, Resample):
            break  # what follows runs at the contract's rate, which the contract itself has checked
        if isinstance(step, HighPass | LowPass | Notch) and step.edge_hz >= rate / 2:
            advice = f"{step.step} before resample runs at the recording's own rate; put resample first"
            yield _violation("steps", f"a rate above {2 * step.edge_hz:g} Hz", f"{rate:g} Hz", advice=advice)


def _duration_violations(signal: Signal, contract: Contract, wanted: float) -> Iterator[Violation]:
    duration = signal.duration_s
    if duration < contract.min_duration_s:
        advice = "give a longer recording, or lower min_duration_s"
        expected = f"at least {contract.min_duration_s:g} s"
        yield _violation("min_duration_s", expected, f"{duration:g} s", advice=advice)
    elif round(duration * (contract.rate_hz or 0)) != round(wanted * (contract.rate_hz or 0)):
        advice = f"its {contract.crop.where} is kept" if duration > wanted else "padded"
        yield _violation("duration_s", f"{wanted:g} s", f"{duration:g} s", convertible=True, advice=advice)


def _sample_violations(signal: Signal, contract: Contract, used: list[int]) -> Iterator[Violation]:
    if signal.n_positions == 0:
        return
    for index in used:
        yield from _channel_sample_violations(
            signal.channels[index],
            signal.samples[index],
            contract,
            unit_factor(signal.units[index], contract.units),
        )


def _event_violations(signal: Signal, contract: Contract) -> Iterator[Violation]:
    if contract.needs_events and signal.events is None:
        advice = "put the annotation file beside the recording, or name their times in a table of events"
        yield _violation("events", "annotated events", "none", advice=advice)


def _channel_sample_violations(
    name: str, samples: Float32[np.ndarray, "*positions"], contract: Contract, factor: float | None
) -> Iterator[Violation]:
    # One pass decides the usual case: min and max are NaN or infinite when any sample is.
    low, high = float(samples.min()), float(samples.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        missing = float(np.isnan(samples).mean())
        if np.isinf(samples).any():
            yield _violation(
                "samples", f"finite values in {name}", "infinity", advice="mark it as missing (NaN)"
            )
        if missing == 1.0 or missing > contract.missing:
            advice = "give a better recording, or raise missing"
            expected = f"at most {contract.missing:.1%} missing in {name}"
            yield _violation("missing", expected, f"{missing:.1%}", advice=advice)
        finite = np.isfinite(samples)
        if not finite.any():
            return
        low = float(np.min(samples, initial=math.inf, where=finite))
        high = float(np.max(samples, initial=-math.inf, where=finite))
    if contract.limits is not None and factor is not None:
        low, high = low * factor, high * factor
        if low < contract.limits[0] or high > contract.limits[1]:
            expected = f"{contract.limits[0]:g} to {contract.limits[1]:g} {contract.units} in {name}"
            advice = "is the unit of the recording right?"
            yield _violation("limits", expected, f"{low:g} to {high:g} {contract.units}", advice=advice)
