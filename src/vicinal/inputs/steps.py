"""The steps a contract may ask for between a recording and the network's input, as validated plain data.

Each step is one table of the experiment file: `{ step = "high_pass", cutoff_hz = 0.5 }`. Knows names and
ranges; must not know how a step is carried out (`prepare.py` and `filters.py` do).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

__all__ = [
    "Clip",
    "Crop",
    "EventIntervals",
    "HighPass",
    "LogMel",
    "LowPass",
    "Notch",
    "Pad",
    "Resample",
    "Resize",
    "Scale",
    "SelectEvents",
    "Step",
    "UsualEvent",
]

Frequency = Annotated[FiniteFloat, Field(ge=0.01)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resample(_Table):
    """Bring the recording to the contract's rate by polyphase filtering; nothing happens where it has it."""

    step: Literal["resample"] = "resample"


class HighPass(_Table):
    """Remove what is slower than `cutoff_hz` (its gain there is one half); `width_hz` is the transition."""

    step: Literal["high_pass"] = "high_pass"
    cutoff_hz: Frequency
    width_hz: Frequency | None = None

    @property
    def transition_hz(self) -> float:
        """Width of the transition from stop to pass; by default as wide as the cutoff."""
        return self.cutoff_hz if self.width_hz is None else self.width_hz

    @property
    def edge_hz(self) -> float:
        """The highest frequency the filter needs, which must lie below half the rate."""
        return self.cutoff_hz


class LowPass(_Table):
    """Remove what is faster than `cutoff_hz` (its gain there is one half); `width_hz` is the transition."""

    step: Literal["low_pass"] = "low_pass"
    cutoff_hz: Frequency
    width_hz: Frequency | None = None

    @property
    def transition_hz(self) -> float:
        """Width of the transition from pass to stop; by default a quarter of the cutoff."""
        return self.cutoff_hz / 4 if self.width_hz is None else self.width_hz

    @property
    def edge_hz(self) -> float:
        """The highest frequency the filter needs, which must lie below half the rate."""
        return self.cutoff_hz


class Notch(_Table):
    """Remove one frequency, such as the mains; the gain is one half at `width_hz` on either side."""

    step: Literal["notch"] = "notch"
    frequency_hz: Frequency
    width_hz: Frequency = 1.0

    @model_validator(mode="after")
    def _above_zero(self) -> "Notch":
        if self.width_hz >= self.frequency_hz:
            raise ValueError(f"width_hz {self.width_hz} must be below frequency_hz {self.frequency_hz}")
        return self

    @property
    def transition_hz(self) -> float:
        """Width of each of the two transitions."""
        return self.width_hz

    @property
    def edge_hz(self) -> float:
        """The highest frequency the filter needs, which must lie below half the rate."""
        return self.frequency_hz + self.width_hz


class Scale(_Table):
    """Subtract a centre and divide by a spread.

    `by = "constant"` takes both from the table. `by = "recording"` takes each channel's own mean and standard
    deviation over its valid positions, which needs the whole recording: such a model cannot be streamed.
    """

    step: Literal["scale"] = "scale"
    by: Literal["recording", "constant"]
    centre: FiniteFloat | None = None
    spread: Annotated[FiniteFloat, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _numbers_only_for_constant(self) -> "Scale":
        if self.by == "recording" and (self.centre is not None or self.spread is not None):
            raise ValueError('centre and spread belong to by = "constant"')
        if self.by == "constant" and self.spread is None:
            raise ValueError('by = "constant" needs spread (and centre, 0 where not given)')
        return self


class Clip(_Table):
    """Limit the values to -limit to limit."""

    step: Literal["clip"] = "clip"
    limit: Annotated[FiniteFloat, Field(gt=0)]


class LogMel(_Table):
    """Turn a sound into log-mel energies: `n_mels` bands take the place of each channel, `hop_s` that of a position.

    `window_s` is the length of a frame; bands lie between `low_hz` and `high_hz`, by default half the rate.
    """

    step: Literal["log_mel"] = "log_mel"
    n_mels: Annotated[int, Field(ge=2, le=512)]
    window_s: Annotated[FiniteFloat, Field(gt=0)]
    hop_s: Annotated[FiniteFloat, Field(gt=0)]
    low_hz: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    high_hz: Frequency | None = None

    def window(self, rate_hz: float) -> int:
        """Samples in a frame."""
        return round(self.window_s * rate_hz)

    def hop(self, rate_hz: float) -> int:
        """Samples from one frame to the next."""
        return round(self.hop_s * rate_hz)

    def top_hz(self, rate_hz: float) -> float:
        """Upper end of the highest band."""
        return rate_hz / 2 if self.high_hz is None else self.high_hz

    def n_bins(self, rate_hz: float) -> int:
        """Frequencies of the spectrum: half the next power of two from a frame upwards, and 0 Hz."""
        return int((1 << (self.window(rate_hz) - 1).bit_length()) // 2 + 1)


class SelectEvents(_Table):
    """Keep the events that bear one of these symbols, such as heartbeats, and take no notice of the others.

    The recording must have annotations. Name every symbol of a kind: a network told only where the ectopic
    beats are has been told the answer.
    """

    step: Literal["events"] = "events"
    symbols: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class UsualEvent(_Table):
    """Add a channel beside each: what it usually looks like around an event, put at every event.

    That is the median over all events of the recording, from `before_s` before them to `after_s` after. What differs
    from a person's usual heartbeat then stands out, whatever that looks like. Needs the whole recording: such a model
    cannot be streamed. Labels are not looked at. The recording must have annotations.
    """

    step: Literal["usual_event"] = "usual_event"
    before_s: Annotated[FiniteFloat, Field(gt=0, le=60)] = 0.3
    after_s: Annotated[FiniteFloat, Field(gt=0, le=60)] = 0.4


class EventIntervals(_Table):
    """Add two channels that say where the events are: the time from the last event, and that to the next one.

    Each is the binary logarithm of seconds, from 1/8 s to 8 s, held from half-way after the last event to half-way
    before the next one. So a network sees absolute intervals as values, and relative ones as differences. `relative`
    adds both once more, less the median over the recording; then it needs the whole recording, and cannot be streamed.
    Labels are not looked at. The recording must have annotations.
    """

    step: Literal["event_intervals"] = "event_intervals"
    relative: bool = False


class Crop(_Table):
    """Which part is kept of what is longer than the contract's duration, or larger than its size.

    Along time a longer recording is always cropped, and the step only says where. A larger image is refused
    without it; `start` is the upper left corner.
    """

    step: Literal["crop"] = "crop"
    where: Literal["start", "centre", "end"] = "centre"


class Pad(_Table):
    """Put a smaller image into the middle of zeros; along time a shorter recording is always padded."""

    step: Literal["pad"] = "pad"


class Resize(_Table):
    """Bring an image of any size to the contract's, by triangles as wide as the larger of the two pixels."""

    step: Literal["resize"] = "resize"


Step = Annotated[
    Resample
    | HighPass
    | LowPass
    | Notch
    | LogMel
    | Resize
    | Scale
    | Clip
    | SelectEvents
    | UsualEvent
    | EventIntervals
    | Crop
    | Pad,
    Field(discriminator="step"),
]
