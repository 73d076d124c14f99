"""What a report is made from: the evidence of a run, its scores, and the recordings to draw.

All words and numbers come from `evidence.json`. Must not know how any of it was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int8

from vicinal.errors import FormatError

__all__ = ["Example", "Report"]


@dataclass(frozen=True)
class Example:
    """A recording as it is drawn.

    Args:    about: the class whose score is coloured in.
             samples: (channels, time), prepared or raw, in `unit`, or (channels, height, width) where
             `rate_hz` is None.  channels: their names.
             adds: like samples: what each of them adds to the log-odds of that class; None: not known.
             marks: (sample, symbol) of events, set above every channel.
    """

    id: str
    about: str
    samples: Float[np.ndarray, "channels *positions"]
    rate_hz: float | None
    unit: str
    channels: tuple[str, ...] = ()
    adds: Float[np.ndarray, "channels *positions"] | None = None
    marks: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Report:
    """What a report shows. Empty parts are left out of the page, with one line that says so.

    Args:    evidence: what `evidence.json` holds.
             classes: K names.  truth (1, 0, NaN not known), probability, decisions (1, 0, -1 referred; or
             None): (n, K), of the test rows.
             experiment: the text of its file.  history: the monitor's records of epochs.
             examples: recordings that could be drawn among the errors.  card: the model card, Markdown.
    Raises:  FormatError: when truth, probability and decisions are not all (n, K).
    """

    evidence: Mapping[str, Any]
    classes: tuple[str, ...]
    truth: Float64[np.ndarray, "n k"]
    probability: Float64[np.ndarray, "n k"]
    decisions: Int8[np.ndarray, "n k"] | None = None
    experiment: str = ""
    history: Sequence[Mapping[str, Any]] = ()
    examples: Sequence[Example] = ()
    card: str = ""

    def __post_init__(self) -> None:
        expected = (len(self.probability), len(self.classes))
        for name in ("truth", "probability", "decisions"):
            value = getattr(self, name)
            if value is not None and np.shape(value) != expected:
                raise FormatError(
                    f"report: {name} must be (rows, classes) = {expected}, got {np.shape(value)}."
                )

    @property
    def protocol(self) -> Mapping[str, Any]:
        """How everything was made."""
        found: Mapping[str, Any] = self.evidence.get("protocol", {})
        return found
