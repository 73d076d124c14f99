"""Contract: the shape a signal must have to enter a network, and every way in which a signal breaks it.

What can be converted without loss of meaning (unit, order of channels, rate, length) is a convertible
violation: `prepare.py` converts it. Knows signals and numbers; must not know data sets, files or networks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

import numpy as np
from jaxtyping import Float32
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    field_validator,
    model_validator,
)

from vicinal.errors import FormatError
from vicinal.inputs.steps import Crop, HighPass, LowPass, Notch, Resample, Step
from vicinal.signal import Signal

__all__ = ["Contract", "Violation", "check", "choose_channels", "rate_ratio", "unit_factor"]

_VOLT_EXPONENTS = {"V": 0, "mV": -3, "uV": -6, "µV": -6, "μV": -6}

_MAX_RATIO = 50_000
"""Whole numbers above this in a ratio of rates would make resampling filters of millions of taps."""


class Contract(BaseModel):
    """What enters the network.

    Args:    axes: names of the position axes; `("time",)`.
             channels: names, in the order the network sees them.
             aliases: other names a channel may have in a file, by channel. Case does not count.
             rate_hz: positions a second.  duration_s: length of the network's input; a longer recording is
             cropped, a shorter one is padded with zeros at its end.
             min_duration_s: a recording shorter than this is refused.
             units: "mV", "uV" or "V", converted into each other; any other name ("1") must be equal.
             limits: (low, high) in `units`; a recording with a value outside is refused. None: no limits.
             missing: share of missing (NaN) values in 0 to 1 that is still accepted, channel by channel.
             steps: what is done, in this order; crop and padding to `duration_s` always come last.
    Raises:  pydantic.ValidationError: for unknown keys and values out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    axes: tuple[str, ...] = ("time",)
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    aliases: dict[str, tuple[str, ...]] = {}
    rate_hz: Annotated[FiniteFloat, Field(ge=0.001, le=1e6)]
    duration_s: Annotated[FiniteFloat, Field(gt=0)]
    min_duration_s: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    units: Annotated[str, Field(min_length=1)]
    limits: tuple[FiniteFloat, FiniteFloat] | None = None
    missing: Annotated[FiniteFloat, Field(ge=0, le=1)] = 0.0
    steps: tuple[Step, ...] = ()

    @field_validator("axes")
    @classmethod
    def _time_only(cls, axes: tuple[str, ...]) -> tuple[str, ...]:
        if axes != ("time",):
            raise ValueError(f'expected axes ["time"], got {list(axes)}')
        return axes

    @model_validator(mode="after")
    def _consistent(self) -> "Contract":
        problems = [*self._name_problems(), *self._step_problems()]
        if self.limits is not None and self.limits[0] >= self.limits[1]:
            problems.append(f"limits must be low then high, got {list(self.limits)}")
        if round(self.duration_s * self.rate_hz) < 1:
            problems.append(f"{self.duration_s} s at {self.rate_hz} Hz is not one position")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _name_problems(self) -> Iterator[str]:
        unknown = sorted(set(self.aliases) - set(self.channels))
        if unknown:
            yield f"aliases for {', '.join(unknown)}, which are not among the channels"
        names = [name for channel in self.channels for name in sorted(_names(self, channel))]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            yield f"channel names and aliases must differ in more than case; repeated: {', '.join(twice)}"

    def _step_problems(self) -> Iterator[str]:
        kinds = [step.step for step in self.steps]
        for kind in ("resample", "crop"):
            if kinds.count(kind) > 1:
                yield f"{kind} may appear only once in steps"
        if "crop" in kinds[:-1]:
            yield "crop must be the last step"
        # Filters before a resample step run at each recording's own rate, which `check` looks at.
        first = kinds.index("resample") if "resample" in kinds else 0
        for step in self.steps[first:]:
            if isinstance(step, HighPass | LowPass | Notch) and step.edge_hz >= self.rate_hz / 2:
                yield f"{step.step} reaches {step.edge_hz:g} Hz, not below half of {self.rate_hz:g} Hz"

    @property
    def n_positions(self) -> int:
        """Number of positions of the network's input."""
        return round(self.duration_s * self.rate_hz)

    @property
    def input_shape(self) -> tuple[int, int]:
        """(channels, positions) of the network's input."""
        return len(self.channels), self.n_positions

    @property
    def resamples(self) -> bool:
        """Whether recordings of another rate are brought to `rate_hz`."""
        return any(isinstance(step, Resample) for step in self.steps)

    @property
    def crop(self) -> Crop:
        """Which part of a longer recording is kept: the crop step, or its default."""
        last = self.steps[-1] if self.steps else None
        return last if isinstance(last, Crop) else Crop()

    def to_json(self) -> str:
        """Return the contract as indented JSON."""
        return self.model_dump_json(indent=2)

    @staticmethod
    def from_json(text: str | bytes) -> "Contract":
        """Read what `to_json` wrote.

        Raises:  FormatError: when it is not a contract; the message lists every problem.
        """
        try:
            return Contract.model_validate_json(text)
        except ValidationError as error:
            problems = [
                f"{'.'.join(str(part) for part in problem['loc']) or 'contract'}: {problem['msg']}"
                for problem in error.errors()
            ]
            raise FormatError("not a contract: " + "; ".join(problems) + ".") from error


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
    used = [indices[0] for indices in found if indices]
    return [
        *_channel_violations(signal, contract, found),
        *_unit_violations(signal, contract, used),
        *_rate_violations(signal, contract),
        *_duration_violations(signal, contract),
        *_sample_violations(signal, contract, used),
    ]


def choose_channels(names: tuple[str, ...], contract: Contract) -> list[list[int]]:
    """Return, for each channel of the contract, the indices in `names` that bear its name or an alias."""
    folded = [name.strip().casefold() for name in names]
    wanted = [_names(contract, channel) for channel in contract.channels]
    return [[index for index, name in enumerate(folded) if name in accepted] for accepted in wanted]


def unit_factor(unit: str, target: str) -> float | None:
    """Return what converts `unit` to `target` by multiplication, or None where no conversion is known."""
    if unit == target:
        return 1.0
    if unit in _VOLT_EXPONENTS and target in _VOLT_EXPONENTS:
        return float(10.0 ** (_VOLT_EXPONENTS[unit] - _VOLT_EXPONENTS[target]))
    return None


def rate_ratio(rate_hz: float, target_hz: float) -> Fraction:
    """Return `target_hz` over `rate_hz`, both to a thousandth of a hertz: what lies beyond is rounding."""
    return Fraction(target_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)


def _names(contract: Contract, channel: str) -> set[str]:
    return {name.strip().casefold() for name in (channel, *contract.aliases.get(channel, ()))}


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


def _rate_violations(signal: Signal, contract: Contract) -> Iterator[Violation]:
    rate = signal.rate_hz
    if rate is None:
        yield _violation("rate_hz", f"{contract.rate_hz:g} Hz", "none")
        return
    if rate < 0.001:
        yield _violation("rate_hz", f"{contract.rate_hz:g} Hz", f"{rate:g} Hz")
    elif (ratio := rate_ratio(rate, contract.rate_hz)) != 1:
        convertible, advice = contract.resamples, "resampled"
        if not contract.resamples:
            advice = "add the step resample to the contract"
        elif ratio > 2:
            convertible, advice = False, "below half the contract's rate, too little is left to restore"
        elif max(ratio.numerator, ratio.denominator) > _MAX_RATIO:
            convertible, advice = False, "their ratio has no small whole numbers; state the rate rounded"
        yield _violation(
            "rate_hz",
            f"{contract.rate_hz:g} Hz",
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


def _duration_violations(signal: Signal, contract: Contract) -> Iterator[Violation]:
    if signal.n_positions == 0:
        yield _violation("duration_s", "a recording", "no samples")
    elif signal.rate_hz is not None:
        duration = signal.duration_s
        if duration < contract.min_duration_s:
            advice = "give a longer recording, or lower min_duration_s"
            expected = f"at least {contract.min_duration_s:g} s"
            yield _violation("min_duration_s", expected, f"{duration:g} s", advice=advice)
        elif round(duration * contract.rate_hz) != contract.n_positions:
            advice = f"cropped at the {contract.crop.where}" if duration > contract.duration_s else "padded"
            if contract.crop.where != "centre" and duration > contract.duration_s:
                advice = f"its {contract.crop.where} is kept"
            expected = f"{contract.duration_s:g} s"
            yield _violation("duration_s", expected, f"{duration:g} s", convertible=True, advice=advice)


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


def _channel_sample_violations(
    name: str, samples: Float32[np.ndarray, " time"], contract: Contract, factor: float | None
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
        finite = samples[np.isfinite(samples)]
        if finite.size == 0:
            return
        low, high = float(finite.min()), float(finite.max())
    if contract.limits is not None and factor is not None:
        low, high = low * factor, high * factor
        if low < contract.limits[0] or high > contract.limits[1]:
            expected = f"{contract.limits[0]:g} to {contract.limits[1]:g} {contract.units} in {name}"
            advice = "is the unit of the recording right?"
            yield _violation("limits", expected, f"{low:g} to {high:g} {contract.units}", advice=advice)
