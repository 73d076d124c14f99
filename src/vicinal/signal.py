"""Signal: one recording, clip or image in memory, with what is needed to read it rightly.

This is what flows in. It knows nothing of files, contracts or networks.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.errors import FormatError

__all__ = ["Events", "Signal"]


@dataclass(frozen=True)
class Events:
    """Labelled positions of a signal, such as beats.

    Args:    positions: (n,), sample indices, not decreasing.  symbols: n labels.
    """

    positions: Int64[np.ndarray, " n"]
    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.positions.shape != (len(self.symbols),):
            raise FormatError(
                f"expected one symbol per event, got {self.positions.shape[0]} positions "
                f"and {len(self.symbols)} symbols."
            )


@dataclass(frozen=True)
class Signal:
    """One recording in physical units.

    Args:    samples: (channels, *positions), float32 in `units`; NaN where missing.
             axes: names of the position axes: ("time",) or ("height", "width").
             rate_hz: samples a second along time; None where there is no time axis.
             channels: one name per channel (ECG: leads).  units: one per channel ("mV", "uV", "V", "1").
             id: unique within a data set.  subject: whom it was measured on, or None when not known.
             start: seconds from the beginning of the file to the first sample.
             events: labelled positions, or None.  source: where it came from, for messages.
    Raises:  FormatError: when shapes, names and units do not agree.
    """

    samples: Float32[np.ndarray, "channels *positions"]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float | None
    axes: tuple[str, ...] = ("time",)
    id: str = ""
    subject: str | None = None
    start: float = 0.0
    events: Events | None = field(default=None, repr=False)
    source: str = ""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise FormatError(f"recording {self.id!r}: " + "; ".join(problems) + ".")

    def _problems(self) -> list[str]:
        problems = []
        if self.samples.dtype != np.float32:
            problems.append(f"expected float32 samples, got {self.samples.dtype}")
        if self.samples.ndim != 1 + len(self.axes):
            expected = ", ".join(("channels", *self.axes))
            problems.append(f"expected samples of shape ({expected}), got {self.samples.shape}")
        elif self.samples.shape[0] != len(self.channels):
            problems.append(f"expected {len(self.channels)} channels by name, got {self.samples.shape[0]}")
        if len(self.units) != len(self.channels):
            problems.append(f"expected one unit per channel, got {len(self.units)} for {len(self.channels)}")
        if "time" in self.axes and not (self.rate_hz and np.isfinite(self.rate_hz) and self.rate_hz > 0):
            problems.append(f"expected a rate above 0 Hz, got {self.rate_hz}")
        return problems

    @property
    def n_positions(self) -> int:
        """Number of positions (time points, or pixels)."""
        return int(np.prod(self.samples.shape[1:]))

    @property
    def duration_s(self) -> float:
        """Duration in seconds of a signal with a time axis."""
        if self.rate_hz is None:
            raise FormatError(f"recording {self.id!r} has no time axis, so no duration.")
        return float(self.samples.shape[1] / self.rate_hz)
