"""`vicinal score` and `vicinal trace`: a saved model on recordings it has never seen."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.decisions.events import Alarms, observed_days
from vicinal.decisions.policy import Policy, along
from vicinal.errors import ExperimentError
from vicinal.files import write_bytes
from vicinal.inputs.formats.reading import read
from vicinal.representations.engine import Precision
from vicinal.scores import trace as tracing
from vicinal.scores.model import Model
from vicinal.scores.score import score_paths
from vicinal.scores.trace import Trace
from vicinal.scores.trace_page import write_page
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Show

__all__ = ["DECISIONS", "Scored", "score", "trace"]

DECISIONS = {1: "positive", 0: "negative", -1: "refer"}
"""What a decision is called in a file of scores."""


@dataclass(frozen=True)
class Scored:
    """Scores and decisions of new recordings.

    Args:    decisions: (n, K), -1 for referred; None without a policy.  skipped: what could not be scored, and why.
             in_the_field: (n, 1) probabilities at the policy's stated prevalence; None where it states none.
             prevalence: stated, or None.
             alarms: of each class along the recordings, where the policy decides events and rows say where they lie.
    """

    table: ScoreTable
    decisions: np.ndarray | None
    skipped: tuple[tuple[str, str], ...]
    in_the_field: np.ndarray | None = None
    prevalence: float | None = None
    alarms: Mapping[str, Alarms] | None = None

    @property
    def observed_days(self) -> float:
        """How long the rows watch; 0 where they do not say where they lie."""
        return 0.0 if self.alarms is None else observed_days(*along(self.table))

    def lines(self) -> list[list[str]]:
        """Return a header and one line per recording: id, then per class logit, probabilities and decision.

        At events, one line for each, with the recording, the second and the symbol after the id.
        """
        columns = ["logit", "probability"]
        columns += ["field_probability"] if self.in_the_field is not None else []
        columns += ["decision"] if self.decisions is not None else []
        header = [
            "id",
            *self._places,
            *(f"{column}:{name}" for name in self.table.classes for column in columns),
        ]
        return [header, *(self._line(k) for k in range(len(self.table)))]

    @property
    def _places(self) -> list[str]:
        return [name for name in ("record", "position_s", "symbol") if name in self.table.columns]

    def _line(self, k: int) -> list[str]:
        line = [str(self.table.ids[k])]
        for name in self._places:
            value = self.table.columns[name][k]
            line.append(f"{value:.6f}" if name == "position_s" else str(value))
        for j in range(len(self.table.classes)):
            line += [f"{self.table.logits[k, j]:.9g}", f"{self.table.probabilities[k, j]:.9g}"]
            if self.in_the_field is not None:
                line.append(f"{self.in_the_field[k, j]:.9g}")
            if self.decisions is not None:
                line.append(DECISIONS[int(self.decisions[k, j])])
        return line

    def _alarms(self) -> dict[str, Any]:
        """Return alarms and the days watched as JSON values, where there are any."""
        if self.alarms is None:
            return {}
        listed = [
            {"class": name, "record": str(record), "start_s": float(start), "end_s": float(end)}
            for name, found in self.alarms.items()
            for record, start, end in zip(found.records, found.start_s, found.end_s, strict=True)
        ]
        return {"alarms": listed, "observed_days": self.observed_days}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        header, *lines = self.lines()
        return {
            "rows": [dict(zip(header, line, strict=True)) for line in lines],
            "skipped": [{"file": name, "reason": reason} for name, reason in self.skipped],
            **self._alarms(),
            "model": self.table.model_hash,
            "field_prevalence": self.prevalence,
            "precision": self.table.precision,
        }


def _alarms(policy: Policy | None, table: ScoreTable) -> dict[str, Alarms] | None:
    if policy is None or policy.events is None or not {"record", "position_s"} <= set(table.columns):
        return None
    return policy.alarms(table)


def score(
    model_path: Path,
    files: Sequence[Path],
    *,
    output: Path | None = None,
    precision: Precision | None = None,
    stated: Mapping[str, Any] = MappingProxyType({}),
    show: Show = QUIET,
) -> Scored:
    """Score files and folders with a saved model, and decide by its policy.

    Args:    output: `.csv` for one line per recording, `.parquet` for a whole score table; None writes nothing.
             precision: None for the model's own, in which its threshold was fitted.
             stated: `rate_hz`, `units` and `channels` of files that do not state them.
    Raises:  VicinalError: whatever is wrong, with what to do.
    """
    if output is not None and output.suffix not in (".csv", ".parquet"):
        raise ExperimentError(f"--output {output}: expected a name that ends in .csv or .parquet.")
    model = Model.load(model_path)
    if precision is not None and precision != model.precision:
        show.say(f"scoring in {precision}; calibration and threshold were fitted in {model.precision}.")
    with show.progress("scoring") as update:
        table, skipped = score_paths(model.scorer(precision), files, progress=update, **stated)
    policy = model.policy
    decisions = None if policy is None else policy.decide(table.probabilities)
    moved = None if policy is None else policy.in_the_field(table.probabilities)
    if moved is not None:
        columns = {f"field_probability:{name}": moved[:, k] for k, name in enumerate(table.classes)}
        table = replace(table, columns={**table.columns, **columns})
    prevalence = None if policy is None or moved is None else policy.prevalence
    scored = Scored(table, decisions, tuple(skipped), moved, prevalence, _alarms(policy, table))
    if output is not None:
        write_bytes(output, table.to_parquet() if output.suffix == ".parquet" else _csv(scored.lines()))
    return scored


def trace(
    model_path: Path,
    file: Path,
    *,
    html: Path | None = None,
    explain: str | None = None,
    stated: Mapping[str, Any] = MappingProxyType({}),
) -> Trace:
    """Follow one recording through a saved model, and draw its way as a page when asked; see `score`.

    Args:    explain: the class whose score is attributed to samples; None: the most probable one.
    """
    traced = tracing.trace(Model.load(model_path), read(file, **stated), explain=explain)
    if html is not None:
        write_page(html, traced)
    return traced


def _csv(lines: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue().encode()
