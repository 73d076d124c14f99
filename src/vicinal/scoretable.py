"""ScoreTable: the scores of many rows, with the truth, the subjects and the ROLE of the rows.

This is what flows on, from scores to decisions and evidence. The role is what keeps test rows from fitting
anything: whatever fits calls `require_role` first. Knows tables; must not know networks or files' contents.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float64, Int64

from vicinal.errors import FormatError, PathError, RoleError

__all__ = ["FITTING_ROLES", "Role", "ScoreTable", "Task"]

Task = Literal["binary", "classes", "labels", "events"]
Role = Literal["train", "validation", "calibration", "out_of_fold", "test", "unlabelled"]

FITTING_ROLES: tuple[Role, ...] = ("validation", "calibration", "out_of_fold")
"""Roles whose rows may fit a calibration or a threshold. A guarantee needs `calibration` alone."""

_PREFIXES = ("truth:", "logit:", "probability:")
_FIXED = ("id", "subject", "fold", "record", "position_s")
_VERSION = 1


@dataclass(frozen=True)
class ScoreTable:
    """Scores of n rows for K classes (binary: K = 1, the positive class).

    Args:    task: what is decided.  classes: K names.  role: what these rows may be used for.
             ids: (n,) unique.  subjects: (n,) or None when not known.
             truth: (n, K), 1, 0 or NaN where not known.  logits: (n, K), raw network outputs.
             probabilities: (n, K), calibrated; those of the raw logits before calibration.
             folds: (n,) or None.  columns: further columns by name, such as `record` and `position_s` for
             events, or age and device for subgroups.
             model_hash, split_hash, precision: how the scores were made.
    Raises:  FormatError: when shapes do not agree, ids repeat, or numbers are out of range.
    """

    task: Task
    classes: tuple[str, ...]
    role: Role
    ids: np.ndarray
    truth: Float64[np.ndarray, "n k"]
    logits: Float64[np.ndarray, "n k"]
    probabilities: Float64[np.ndarray, "n k"]
    subjects: np.ndarray | None = None
    folds: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    model_hash: str = ""
    split_hash: str = ""
    precision: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=str))
        if self.subjects is not None:
            object.__setattr__(self, "subjects", np.asarray(self.subjects, dtype=str))
        for name in ("truth", "logits", "probabilities"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        problems = self._problems()
        if problems:
            raise FormatError("score table: " + "; ".join(problems) + ".")

    def _problems(self) -> list[str]:
        n, problems = len(self.ids), []
        if self.task not in get_args(Task):
            problems.append(f"task {self.task!r} is not one of {', '.join(get_args(Task))}")
        if self.role not in get_args(Role):
            problems.append(f"role {self.role!r} is not one of {', '.join(get_args(Role))}")
        if len(set(self.classes)) != len(self.classes) or not self.classes:
            problems.append(f"classes must be distinct and at least one, got {self.classes}")
        if self.task == "binary" and len(self.classes) != 1:
            problems.append(f"a binary task names its positive class only, got {self.classes}")
        if len(np.unique(self.ids)) != n:
            problems.append("ids repeat")
        for name in ("truth", "logits", "probabilities"):
            if getattr(self, name).shape != (n, len(self.classes)):
                found = getattr(self, name).shape
                problems.append(f"{name} must be ({n}, {len(self.classes)}), got {found}")
        optional = {"subjects": self.subjects, "folds": self.folds, **self.columns}
        for name, column in optional.items():
            if column is not None and len(column) != n:
                problems.append(f"{name} must have {n} rows, got {len(column)}")
        clashing = [c for c in self.columns if c in ("id", "subject", "fold") or c.startswith(_PREFIXES)]
        if clashing:
            problems.append(f"columns {clashing} have reserved names")
        if not problems:
            problems += self._number_problems()
        return problems

    def _number_problems(self) -> list[str]:
        problems = []
        if not np.isin(self.truth[~np.isnan(self.truth)], (0.0, 1.0)).all():
            problems.append("truth must be 0, 1 or empty")
        if not np.isfinite(self.logits).all():
            problems.append("logits must be finite")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            problems.append("probabilities must lie in 0 to 1")
        return problems

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_subjects(self) -> int | None:
        """How many subjects the rows come from; None when subjects are not known."""
        return None if self.subjects is None else len(np.unique(self.subjects))

    @property
    def clusters(self) -> np.ndarray:
        """(n,) what is resampled together: subjects, or the rows themselves where subjects are not known."""
        return self.ids if self.subjects is None else self.subjects

    def require_role(self, *roles: Role, purpose: str) -> None:
        """Refuse rows that may not be used for `purpose`.

        Raises:  RoleError: when the role of the rows is not one of `roles`.
        """
        if self.role not in roles:
            raise RoleError(
                f"{purpose} needs rows of role {' or '.join(roles)}, got {self.role!r} rows. "
                "Set rows aside for it in the split."
            )

    def select(self, rows: Bool[np.ndarray, " n"] | Int64[np.ndarray, " m"]) -> "ScoreTable":
        """Return the rows where a mask is true, or those at indices, in their order; everything else unchanged."""
        return replace(
            self,
            ids=self.ids[rows],
            truth=self.truth[rows],
            logits=self.logits[rows],
            probabilities=self.probabilities[rows],
            subjects=None if self.subjects is None else self.subjects[rows],
            folds=None if self.folds is None else self.folds[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
        )

    def with_probabilities(self, probabilities: Float64[np.ndarray, "n k"]) -> "ScoreTable":
        """Return the same rows with other (calibrated) probabilities."""
        return replace(self, probabilities=probabilities)

    def to_parquet(self) -> bytes:
        """Return the table as Parquet, in the columns of the public schema (`docs/score-table.md`)."""
        data: dict[str, object] = {"id": self.ids}
        if self.subjects is not None:
            data["subject"] = self.subjects
        if self.folds is not None:
            data["fold"] = np.asarray(self.folds, dtype=np.int64)
        for k, name in enumerate(self.classes):
            data[f"truth:{name}"] = pa.array(self.truth[:, k], from_pandas=True)
            data[f"logit:{name}"] = self.logits[:, k]
            data[f"probability:{name}"] = self.probabilities[:, k]
        data.update(self.columns)
        meta = {
            "version": _VERSION,
            "task": self.task,
            "classes": list(self.classes),
            "role": self.role,
            "model_hash": self.model_hash,
            "split_hash": self.split_hash,
            "precision": self.precision,
        }
        table = pa.table(data).replace_schema_metadata({"vicinal": json.dumps(meta, sort_keys=True)})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return buffer.getvalue()

    @staticmethod
    def read(path: Path) -> "ScoreTable":
        """Read a score table written with `to_parquet`.

        Raises:  PathError: when there is no such file.  FormatError: when it is not a score table.
        """
        if not path.is_file():
            raise PathError(f"{path} does not exist.")
        try:
            table = pq.read_table(path)
            meta = json.loads((table.schema.metadata or {})[b"vicinal"])
            return _from_arrow(table, meta)
        except (pa.ArrowException, KeyError, TypeError, json.JSONDecodeError) as error:
            raise FormatError(f"{path} is not a score table: {error}.") from error


def _from_arrow(table: pa.Table, meta: dict[str, object]) -> ScoreTable:
    if meta["version"] != _VERSION:
        raise FormatError(f"score table version {meta['version']} is not {_VERSION}; use a newer Vicinal.")
    classes = tuple(str(name) for name in meta["classes"])  # type: ignore[attr-defined]  # checked by use

    def stacked(prefix: str) -> np.ndarray:
        return np.stack([table[prefix + name].to_numpy().astype(np.float64) for name in classes], axis=1)

    names = set(table.column_names)
    further = [c for c in table.column_names if c not in _FIXED[:3] and not c.startswith(_PREFIXES)]
    return ScoreTable(
        task=meta["task"],  # type: ignore[arg-type]  # checked by the table itself
        classes=classes,
        role=meta["role"],  # type: ignore[arg-type]  # likewise
        ids=np.array(table["id"].to_pylist(), dtype=str),
        truth=stacked("truth:"),
        logits=stacked("logit:"),
        probabilities=stacked("probability:"),
        subjects=np.array(table["subject"].to_pylist(), dtype=str) if "subject" in names else None,
        folds=table["fold"].to_numpy() if "fold" in names else None,
        columns={name: np.array(table[name].to_pylist()) for name in further},
        model_hash=str(meta["model_hash"]),
        split_hash=str(meta["split_hash"]),
        precision=str(meta["precision"]),
    )
