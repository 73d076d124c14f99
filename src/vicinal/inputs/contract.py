"""Contract: the shape a signal must have to enter a network.

Which fields go with which axes, and what they may hold; how a signal breaks it is in `violations.py`, how it
is brought to it in `prepare.py`. Must not know signals, data sets, files or networks.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from vicinal.errors import FormatError
from vicinal.inputs.intervals import interval_names
from vicinal.inputs.mel import filters_of
from vicinal.inputs.steps import (
    Crop,
    EventIntervals,
    HighPass,
    LogMel,
    LowPass,
    Notch,
    Resample,
    SelectEvents,
    Step,
    UsualEvent,
)

__all__ = ["IMAGE", "TIME", "Contract", "choose_channels", "rate_ratio", "unit_factor"]

TIME: tuple[str, ...] = ("time",)
IMAGE: tuple[str, ...] = ("height", "width")

_STEPS_OF = {
    TIME: (
        "resample",
        "high_pass",
        "low_pass",
        "notch",
        "log_mel",
        "scale",
        "clip",
        "events",
        "usual_event",
        "event_intervals",
        "crop",
    ),
    IMAGE: ("resize", "scale", "clip", "crop", "pad"),
}
"""The steps that a contract with these axes may ask for."""

Pixels = Annotated[int, Field(ge=1, le=65_536)]

_VOLT_EXPONENTS = {"V": 0, "mV": -3, "uV": -6, "µV": -6, "μV": -6}


class Contract(BaseModel):
    """What enters the network.

    Args:    axes: names of the position axes, ("time",) or ("height", "width").
             channels: names, in the order the network sees them; of an image its colours, ("grey",) or
             ("red", "green", "blue").
             aliases: other names a channel may have in a file, by channel. Case does not count.
             rate_hz: positions a second of the recording.  duration_s: length of the network's input; a
             longer recording is cropped, a shorter one is padded with zeros at its end. Both with a time axis.
             min_duration_s: a recording shorter than this is refused.
             size: (height, width) in pixels of the network's input. With the axes of an image.
             units: "mV", "uV" or "V", converted into each other; any other name ("1") must be equal.
             limits: (low, high) in `units`; a recording with a value outside is refused. None: no limits.
             missing: share of missing (NaN) values in 0 to 1 that is still accepted, channel by channel.
             steps: what is done, in this order; crop and padding always come last.
    Raises:  pydantic.ValidationError: for unknown keys, values out of range, and fields of other axes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    axes: tuple[str, ...] = TIME
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    aliases: dict[str, tuple[str, ...]] = {}
    rate_hz: Annotated[FiniteFloat, Field(ge=0.001, le=1e6)] | None = None
    duration_s: Annotated[FiniteFloat, Field(gt=0)] | None = None
    min_duration_s: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    size: tuple[Pixels, Pixels] | None = None
    units: Annotated[str, Field(min_length=1)]
    limits: tuple[FiniteFloat, FiniteFloat] | None = None
    missing: Annotated[FiniteFloat, Field(ge=0, le=1)] = 0.0
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Contract":
        problems = [*self._axes_problems(), *self._name_problems(), *self._step_problems()]
        if self.limits is not None and self.limits[0] >= self.limits[1]:
            problems.append(f"limits must be low then high, got {list(self.limits)}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _axes_problems(self) -> Iterator[str]:
        if self.axes not in _STEPS_OF:
            known = " or ".join(str(list(axes)) for axes in _STEPS_OF)
            yield f"expected axes {known}, got {list(self.axes)}"
            return
        along_time = {
            "rate_hz": self.rate_hz,
            "duration_s": self.duration_s,
            "min_duration_s": self.min_duration_s or None,
            "missing": self.missing or None,
        }
        values: dict[str, Any] = {**along_time, "size": self.size}
        along = self.axes == TIME
        needed = ("rate_hz", "duration_s") if along else ("size",)
        foreign = {name: values[name] for name in (("size",) if along else along_time)}
        named = ", ".join(self.axes)
        lacking = [name for name in needed if values[name] is None]
        if lacking:
            yield f"axes {named} need {' and '.join(lacking)}"
        for name in [name for name, value in foreign.items() if value is not None]:
            yield f"{name} does not go with axes {named}"
        if self.position_rate_hz and self.duration_s and round(self.duration_s * self.position_rate_hz) < 1:
            yield f"{self.duration_s} s at {self.position_rate_hz:g} Hz is not one position"

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
        foreign = [kind for kind in dict.fromkeys(kinds) if kind not in _STEPS_OF.get(self.axes, kinds)]
        if foreign:
            yield f"{', '.join(foreign)} does not go with axes {', '.join(self.axes)}"
        for kind in (
            "resample",
            "log_mel",
            "resize",
            "events",
            "usual_event",
            "event_intervals",
            "crop",
            "pad",
        ):
            if kinds.count(kind) > 1:
                yield f"{kind} may appear only once in steps"
        while kinds and kinds[-1] in ("crop", "pad"):
            kinds.pop()
        for kind in [kind for kind in ("crop", "pad") if kind in kinds]:
            yield f"{kind} must be the last step"
        if "event_intervals" in kinds[:-1]:
            yield "only crop may follow event_intervals, whose values are seconds"
        if "usual_event" in kinds and set(kinds[kinds.index("usual_event") + 1 :]) - {"event_intervals"}:
            yield "only event_intervals and crop may follow usual_event, which looks at the finished signal"
        yield from self._log_mel_problems()
        # Filters before a resample step run at each recording's own rate, which `check` looks at.
        first = kinds.index("resample") if "resample" in kinds else 0
        rate_hz = self.rate_hz or math.inf
        for step in self.steps[first:]:
            if isinstance(step, HighPass | LowPass | Notch) and step.edge_hz >= rate_hz / 2:
                yield f"{step.step} reaches {step.edge_hz:g} Hz, not below half of {rate_hz:g} Hz"

    def _log_mel_problems(self) -> Iterator[str]:
        step = self.log_mel
        if step is None or self.rate_hz is None:
            return
        rate_hz, top = self.rate_hz, step.top_hz(self.rate_hz)
        for name, seconds in (("window_s", step.window_s), ("hop_s", step.hop_s)):
            n = seconds * rate_hz
            if round(n) < 1 or abs(n - round(n)) > 1e-6 * n:
                yield f"log_mel: {name} {seconds:g} is {n:g} samples at {rate_hz:g} Hz, not a whole number"
                return
        if not step.low_hz < top <= rate_hz / 2:
            yield f"log_mel: expected low_hz below high_hz and both within {rate_hz / 2:g} Hz"
        elif not filters_of(step, rate_hz).any(axis=1).all():
            yield f"log_mel: {step.n_mels} bands are too narrow for frames of {step.window_s:g} s; take fewer"
        after = [one.step for one in self.steps[self.steps.index(step) + 1 :]]
        wrong = sorted(set(after) - {"scale", "clip", "events", "usual_event", "event_intervals", "crop"})
        if wrong:
            yield f"{', '.join(wrong)} must stand before log_mel"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(channels, positions), or (channels, height, width), of the network's input."""
        if self.size is not None:
            return len(self.channels), *self.size
        return len(self.input_channels), round((self.duration_s or 0) * (self.position_rate_hz or 0))

    @property
    def input_channels(self) -> tuple[str, ...]:
        """Names of the channels that the network sees: `sampled_channels`, then intervals between events."""
        made = next((step for step in self.steps if isinstance(step, EventIntervals)), None)
        return (*self.sampled_channels, *(() if made is None else interval_names(relative=made.relative)))

    @property
    def sampled_channels(self) -> tuple[str, ...]:
        """Names of the channels whose values are in the signal's unit: `signal_channels`, then their usual course."""
        made = any(isinstance(step, UsualEvent) for step in self.steps)
        return (*self.signal_channels, *(f"usual {name}" for name in self.signal_channels if made))

    @property
    def signal_channels(self) -> tuple[str, ...]:
        """Names of the channels that come from samples: those of the contract, or the mel bands of each."""
        if self.log_mel is None:
            return self.channels
        return tuple(f"{name} mel {k}" for name in self.channels for k in range(self.log_mel.n_mels))

    @property
    def needs_events(self) -> bool:
        """Whether a recording must have annotations to be prepared."""
        return any(isinstance(step, SelectEvents | UsualEvent | EventIntervals) for step in self.steps)

    @property
    def position_rate_hz(self) -> float | None:
        """Positions a second that the network sees; None where there is no time axis."""
        return self.rate_hz if self.log_mel is None else 1.0 / self.log_mel.hop_s

    @property
    def log_mel(self) -> LogMel | None:
        """The step that turns a sound into log-mel energies, if there is one."""
        return next((step for step in self.steps if isinstance(step, LogMel)), None)

    @property
    def resamples(self) -> bool:
        """Whether recordings of another rate are brought to `rate_hz`."""
        return any(isinstance(step, Resample) for step in self.steps)

    @property
    def crop(self) -> Crop:
        """Which part of a longer recording is kept: the crop step, or its default."""
        return next((step for step in self.steps if isinstance(step, Crop)), Crop())

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
            raise _not_a_contract(error) from error

    def to_toml(self) -> str:
        """Return the keys that are not at their default as lines of TOML, for `[inputs.contract]`."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        # What tells steps apart is a default of each of them.
        steps = [
            {"step": step.step, **step.model_dump(mode="json", exclude_defaults=True)} for step in self.steps
        ]
        lines = [f"{key} = {_toml(value)}" for key, value in data.items() if key != "steps"]
        if steps:
            lines += ["steps = [", *(f"    {_toml(step)}," for step in steps), "]"]
        return "\n".join(lines) + "\n"

    @staticmethod
    def from_dict(data: Any) -> "Contract":
        """Read the table of an experiment file, or what a JSON file holds.

        Raises:  FormatError: when it is not a contract; the message lists every problem.
        """
        try:
            return Contract.model_validate(data)
        except ValidationError as error:
            raise _not_a_contract(error) from error


def choose_channels(names: Sequence[str], contract: Contract) -> list[list[int]]:
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


def _not_a_contract(error: ValidationError) -> FormatError:
    problems = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'contract'}: {problem['msg']}"
        for problem in error.errors()
    ]
    return FormatError("not a contract: " + "; ".join(problems) + ".")


def _toml(value: Any) -> str:
    """Return a JSON value as TOML; TOML has no null, and the contract leaves none."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        # A basic string of TOML is a string of JSON in which the delete character is escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)
