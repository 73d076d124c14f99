"""What a report is made from: plain texts, numbers and arrays. Must not know how any of it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int8

from vicinal.errors import FormatError

__all__ = ["Example", "Report", "Stage"]


@dataclass(frozen=True)
class Stage:
    """One stage of the network.

    Args:    text: as in the network's text.  shape: what leaves it, in words.  parameters: learnt numbers.
             receptive_field_ms: how much of the signal one unit sees; None without a rate.
    """

    text: str
    shape: str
    parameters: int
    receptive_field_ms: float | None = None


@dataclass(frozen=True)
class Example:
    """One recording that was decided wrongly.

    Args:    truth, decision: in words.  probability: of the positive class, or of the class decided.
             samples: (channels, time), prepared or raw, in `unit`, or (channels, height, width) where
             `rate_hz` is None.  channels: their names.
             adds: like samples: what each of them adds to the log-odds of the class `about`; None: not known.
    """

    id: str
    truth: str
    decision: str
    probability: float
    samples: Float[np.ndarray, "channels *positions"]
    rate_hz: float | None
    unit: str
    channels: tuple[str, ...] = ()
    adds: Float[np.ndarray, "channels *positions"] | None = None
    about: str = ""


@dataclass(frozen=True)
class Report:
    """What a report shows. Empty parts are left out of the page, with one line that says so.

    Args:    title: of the experiment.  command: that made it.  experiment: the text of its file.
             dataflow: (stage, what happens, shape) from files to decisions.
             counts: for each part of the split, numbers by name: rows, each class, subjects.
             exclusions: (recording, reason).
             findings: of the audit, (kind, severity "leak" | "warning" | "note", message).
             stages: of the network.  history: the monitor's records of epochs.  monitor: (kind, message).
             select: the validation metric that chose the epoch.
             evidence: what `evidence.json` holds.
             classes: K names.  truth (1, 0, NaN not known), probability, decisions (1, 0, -1 referred; or
             None): (n, K), of the test rows.  errors: the worst first.
             card: the model card, Markdown.  versions: by name.
    Raises:  FormatError: when truth, probability and decisions are not all (n, K).
    """

    title: str
    command: str
    experiment: str
    evidence: Mapping[str, Any]
    classes: tuple[str, ...]
    truth: Float64[np.ndarray, "n k"]
    probability: Float64[np.ndarray, "n k"]
    decisions: Int8[np.ndarray, "n k"] | None = None
    dataflow: Sequence[tuple[str, str, str]] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    exclusions: Sequence[tuple[str, str]] = ()
    findings: Sequence[tuple[str, str, str]] = ()
    stages: Sequence[Stage] = ()
    history: Sequence[Mapping[str, Any]] = ()
    monitor: Sequence[tuple[str, str]] = ()
    select: str | None = None
    errors: Sequence[Example] = ()
    card: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.probability), len(self.classes))
        for name in ("truth", "probability", "decisions"):
            value = getattr(self, name)
            if value is not None and np.shape(value) != expected:
                raise FormatError(
                    f"report: {name} must be (rows, classes) = {expected}, got {np.shape(value)}."
                )
