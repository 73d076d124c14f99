"""`vicinal contract`: propose a contract for some recordings, and hold recordings against one."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.errors import FormatError, PathError, VicinalError
from vicinal.experiment import load_experiment
from vicinal.inputs.contract import Contract
from vicinal.inputs.formats.reading import read
from vicinal.inputs.inference import infer
from vicinal.inputs.seen import Seen
from vicinal.inputs.violations import Violation, check
from vicinal.scores.model import Model
from vicinal.scores.score import find_recordings
from vicinal.signal import Signal
from vicinal.terminal import QUIET, Show, Update

__all__ = ["CheckedFile", "check_files", "infer_contract", "load_contract"]

_TABLES = ("labels.csv", "labels.tsv", "labels.parquet", "events.csv")
"""Files beside recordings that are named like some and are none."""


@dataclass(frozen=True)
class CheckedFile:
    """What was found in one file: how it breaks the contract, or why it cannot be read ("" when it can)."""

    name: str
    unreadable: str
    violations: tuple[Violation, ...]

    @property
    def is_broken(self) -> bool:
        """Whether it cannot enter the network."""
        return bool(self.unreadable) or any(not one.convertible for one in self.violations)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {**asdict(self), "is_broken": self.is_broken}


def infer_contract(
    paths: Sequence[Path],
    *,
    most: int = 300,
    stated: Mapping[str, Any] = MappingProxyType({}),
    show: Show = QUIET,
) -> tuple[Contract, Seen]:
    """Propose a contract for the recordings in files and folders, at most `most` of them, evenly taken.

    Args:    stated: `rate_hz`, `units` and `channels` for files that do not state them.
    Raises:  PathError: when there is no recording.  FormatError: when none can be read.
    """
    found = _recordings(paths)
    chosen = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)).tolist()
    failures: list[tuple[str, str]] = []
    with show.progress("looking at recordings") as update:
        return infer(_signals([found[k] for k in chosen], stated, failures, update), failures=failures)


def check_files(
    contract: Contract,
    paths: Sequence[Path],
    *,
    stated: Mapping[str, Any] = MappingProxyType({}),
    show: Show = QUIET,
) -> list[CheckedFile]:
    """Hold every recording in files and folders against a contract.

    Raises:  PathError: when there is no recording.
    """
    checked = []
    found = _recordings(paths)
    with show.progress("checking recordings") as update:
        for done, (file, root) in enumerate(found, start=1):
            try:
                violations = check(read(file, root=root, **stated), contract)
                checked.append(CheckedFile(file.name, "", tuple(violations)))
            except VicinalError as error:
                checked.append(CheckedFile(file.name, str(error), ()))
            update(done, len(found))
    return checked


def load_contract(path: Path) -> Contract:
    """Read the contract in a TOML or JSON file, in an experiment file, or in a model file.

    Raises:  PathError: when there is no such file.  FormatError: when it holds no contract.
    """
    if not path.is_file():
        raise PathError(f"{path} does not exist. Give a contract (TOML, JSON), an experiment or a model.")
    if path.suffix == ".vicinal":
        return Model.load(path).contract
    try:
        if path.suffix == ".json":
            return Contract.from_json(path.read_bytes())
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        if "inputs" in data and "training" in data:
            return load_experiment(path)[0].inputs.contract
        return Contract.from_dict(data.get("inputs", data).get("contract", data))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise FormatError(f"{path}: expected a contract in TOML: {error}.") from error


def _recordings(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    return [(file, root) for file, root in find_recordings(paths) if file.name not in _TABLES]


def _signals(
    files: Sequence[tuple[Path, Path]],
    stated: Mapping[str, Any],
    failures: list[tuple[str, str]],
    update: Update,
) -> Iterator[Signal]:
    for done, (file, root) in enumerate(files, start=1):
        try:
            yield read(file, root=root, **stated)
        except VicinalError as error:
            failures.append((file.name, str(error)))
        update(done, len(files))
