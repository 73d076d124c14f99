"""The experiment file: one TOML that names the whole dataflow, from inputs to decisions.

Parses and validates; every problem is reported at once, unknown keys with the nearest known one. It must not
open data, build networks or run anything.
"""

import itertools
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vicinal.decisions.aim import aim_kinds, spell_aims
from vicinal.decisions.events import event_times
from vicinal.errors import ExperimentError, PathError, did_you_mean
from vicinal.inputs.contract import Contract
from vicinal.inputs.storage import Storage
from vicinal.training.config import TrainingConfig

__all__ = [
    "DecisionsConfig",
    "EvidenceConfig",
    "Experiment",
    "InputsConfig",
    "RepresentationsConfig",
    "SplitConfig",
    "experiment_of",
    "load_experiment",
    "parse_evidence",
    "parse_experiment",
    "parse_inputs",
]

_OVERRIDE = "# --set "
_LARGEST_BYTES = 1_000_000
_BUDGETS = ("training.epochs", "training.minutes", "training.steps")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class SplitConfig(_Strict):
    """How rows are divided: by drawing subjects with a seed, in folds, or as a saved or published split says."""

    by: Literal["subject"] = "subject"
    test: float = Field(0.2, gt=0, lt=1)
    validation: float = Field(0.1, gt=0, lt=1)
    calibration: float = Field(0.1, ge=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**63)
    train_subjects: int | None = Field(None, ge=1)
    file: Path | None = None
    official: str | None = None
    folds: int | None = Field(None, ge=2)
    leave_one_out: str | None = None
    fold: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Self:
        test = 0.0 if self.has_folds or self.official else self.test
        if test + self.validation + self.calibration >= 1:
            raise ValueError("test + validation + calibration must leave a share to train on")
        return self

    @property
    def has_folds(self) -> bool:
        """Whether there are folds, one of which is tested at a time."""
        return self.folds is not None or self.leave_one_out is not None

    @model_validator(mode="after")
    def _is_made_in_one_way(self) -> Self:
        ways = ("file", "official", "folds", "leave_one_out")
        given = [name for name in ways if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of {', '.join(ways)}, not {' and '.join(given)}")
        if self.fold is not None and not self.has_folds:
            raise ValueError("fold goes with folds or leave_one_out, and only with them")
        return self


class InputsConfig(_Strict):
    """Where signals and labels come from, what they must look like, and how they are split."""

    dataset: str | None = None
    folder: Path | None = None
    options: dict[str, bool | int | float | str | list[str]] = {}
    labels: Path | None = None
    file_column: str | None = None
    row_column: str | None = None
    label_column: str | None = None
    label_columns: tuple[str, ...] = ()
    subject_column: str | None = None
    split_column: str | None = None
    events: Path | None = None
    events_column: str | None = None
    task: Literal["binary", "classes", "labels", "events"]
    positive: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    max_skipped: float = Field(0.02, ge=0, lt=1)
    contract: Contract
    storage: Storage = Storage()
    split: SplitConfig = SplitConfig()

    @model_validator(mode="after")
    def _names_one_source_and_one_task(self) -> Self:
        if (self.dataset is None) == (self.folder is None):
            raise ValueError('give either dataset = "..." or folder = "...", and only one of them')
        if (self.task == "binary") != bool(self.positive):
            raise ValueError('positive = ["..."] goes with task = "binary", and only with it')
        return self


class RepresentationsConfig(_Strict):
    """The network, as text or as the name of a preset."""

    network: str = Field(min_length=1, max_length=20_000)


class EvidenceConfig(_Strict):
    """How much evidence is gathered about the test rows."""

    metrics: tuple[Literal["beats"], ...] = ()
    subgroups: tuple[str, ...] = ()
    bands: dict[str, tuple[float, ...]] = {}
    robustness: tuple[
        Literal["shift", "gain", "wander", "hum50", "hum60", "muscle", "dropped", "swapped", "rate"], ...
    ] = ()
    robustness_rows: int = Field(500, ge=20)
    learning_curve: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    resamples: int = Field(2000, ge=100, le=100_000)
    shifts_samples: tuple[int, ...] = ()
    fingerprints: bool = True

    @field_validator("metrics", "subgroups", "robustness")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(map(repr, twice))} stands there more than once")
        return names

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        for name, edges in self.bands.items():
            if name not in self.subgroups:
                raise ValueError(f"bands: {name!r} is not among the subgroups")
            if not edges or any(low >= high for low, high in itertools.pairwise(edges)):
                raise ValueError(f"bands: the edges of {name!r} must rise, such as [40, 65]")
        return self

    @model_validator(mode="after")
    def _shares_rise(self) -> Self:
        if any(low >= high for low, high in itertools.pairwise(self.learning_curve)):
            raise ValueError("learning_curve: the shares must rise, such as [0.1, 0.25, 0.5, 1]")
        return self


class DecisionsConfig(_Strict):
    """What a decision must achieve, and in which population."""

    aim: str | None = None
    confidence: float | None = Field(None, gt=0, lt=1)
    prevalence: float | None = Field(None, gt=0, lt=1)
    refer: dict[str, float] | tuple[float, float] | None = None
    events: dict[str, float] | None = None
    calibration: Literal["auto", "temperature", "platt", "isotonic", "none"] = "auto"

    @field_validator("aim")
    @classmethod
    def _is_an_aim(cls, aim: str | None) -> str | None:
        return None if aim is None else spell_aims(aim)

    @field_validator("events")
    @classmethod
    def _are_times(cls, events: dict[str, float] | None) -> dict[str, float] | None:
        if events is not None:
            event_times(events)
        return events


class Experiment(_Strict):
    """One whole experiment."""

    title: str = Field(min_length=1, max_length=200)
    seed: int = Field(0, ge=0, lt=2**63)
    inputs: InputsConfig
    representations: RepresentationsConfig
    training: TrainingConfig
    evidence: EvidenceConfig = EvidenceConfig()
    decisions: DecisionsConfig = DecisionsConfig()

    @property
    def aim(self) -> str:
        """What the decisions must achieve: as stated, or what suits the task."""
        if self.decisions.aim is not None:
            return self.decisions.aim
        return "argmax" if self.is_exclusive else "sensitivity >= 0.95"

    @property
    def is_exclusive(self) -> bool:
        """Whether a row has exactly one class: a recording of the task classes, or an event of a recording."""
        return self.inputs.task in ("classes", "events")

    @model_validator(mode="after")
    def _aim_fits_the_task(self) -> Self:
        kinds = aim_kinds(self.aim)
        if not kinds <= {"argmax", "daily"} if self.is_exclusive else "argmax" in kinds:
            raise ValueError(
                f"decisions.aim {self.aim!r} does not fit the task {self.inputs.task!r}: "
                "argmax goes with classes and events, and only with them; these have no other but alarms per day"
            )
        if self.is_exclusive and self.decisions.events is not None and "daily" not in kinds:
            raise ValueError("decisions.events goes with an aim such as 'V: alarms <= 2 per day'")
        if self.is_exclusive and self.decisions.calibration in ("platt", "isotonic"):
            raise ValueError(
                f"decisions.calibration {self.decisions.calibration!r} maps each class alone, but exclusive "
                "classes share one softmax; use temperature"
            )
        return self

    @field_validator("title")
    @classmethod
    def _one_line(cls, title: str) -> str:
        if any(ord(character) < 32 for character in title):
            raise ValueError("must be one line of text")
        return title


def load_experiment(
    path: Path, overrides: Sequence[str] = (), *, settings: Mapping[str, Any] = MappingProxyType({})
) -> tuple[Experiment, str]:
    """Read an experiment file and set single keys from the command line.

    Args:    path: a TOML file; relative folders and files in it are taken from where it lies.
             overrides: "training.learning_rate=0.01" and the like; the value is TOML, or text.
             settings: values by key, set after the overrides.
    Returns: the experiment, and its text with the overrides noted at the end.
    Raises:  PathError: when there is no such file.  ExperimentError: for every problem in it, at once.
    """
    if not path.is_file():
        raise PathError(f"experiment file {path} does not exist. `vicinal init FOLDER` writes one.")
    if path.stat().st_size > _LARGEST_BYTES:
        raise ExperimentError(f"{path} is larger than {_LARGEST_BYTES:,} bytes; that is no experiment file.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path} is not UTF-8 text: {error}.") from error
    experiment = parse_experiment(
        text, where=str(path), base=path.parent, overrides=overrides, settings=settings
    )
    notes = "".join(f"{_OVERRIDE}{override}\n" for override in overrides)
    return experiment, text.rstrip("\n") + "\n" + notes


def experiment_of(run: Path) -> Experiment:
    """Read the experiment of a run, with the settings of its command line, which it notes at the end.

    Raises:  PathError: when the folder has none.  ExperimentError: as `load_experiment`.
    """
    path = run / "experiment.toml"
    if not path.is_file():
        raise PathError(f"{run} is not a run: it has no experiment.toml. Give a run folder or an experiment.")
    lines = path.read_text(encoding="utf-8").splitlines()
    return load_experiment(
        path, [line.removeprefix(_OVERRIDE) for line in lines if line.startswith(_OVERRIDE)]
    )[0]


def parse_experiment(
    text: str,
    *,
    where: str = "experiment",
    base: Path | None = None,
    overrides: Sequence[str] = (),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Experiment:
    """Parse the text of an experiment file; see `load_experiment`."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ExperimentError(f"{where} is not TOML: {error}.") from error
    for override in overrides:
        _set(data, *_parsed(override))
    for key, value in settings.items():
        _set(data, key, value)
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        raise ExperimentError(f"{where}:\n" + "\n".join(_problems(error))) from error
    return _with_absolute_paths(experiment, base or Path.cwd())


def parse_inputs(
    data: Mapping[str, Any], *, overrides: Sequence[str] = (), base: Path | None = None
) -> InputsConfig:
    """Check what would stand in [inputs], for data that no experiment names.

    Args:    data: keys of [inputs].  overrides: "label_column=diagnosis" and the like.
             base: relative files are taken from there.
    Raises:  ExperimentError: for every problem in it, at once.
    """
    stated = dict(data)
    for override in overrides:
        _set(stated, *_parsed(override))
    try:
        inputs = InputsConfig.model_validate(stated)
    except ValidationError as error:
        raise ExperimentError("inputs:\n" + "\n".join(_problems(error, ("inputs",)))) from error
    return _with_absolute(inputs, base or Path.cwd())


def parse_evidence(data: Mapping[str, Any]) -> EvidenceConfig:
    """Check what would stand in [evidence], for evidence that no experiment asks for.

    Raises:  ExperimentError: for every problem in it, at once.
    """
    try:
        return EvidenceConfig.model_validate(data)
    except ValidationError as error:
        raise ExperimentError("evidence:\n" + "\n".join(_problems(error, ("evidence",)))) from error


def _parsed(override: str) -> tuple[str, Any]:
    key, equals, value = override.partition("=")
    if not equals or not all(key.strip().split(".")):
        raise ExperimentError(f"--set {override!r}: expected key=value, such as training.learning_rate=0.01.")
    return key.strip(), _value(value.strip())


def _set(data: dict[str, Any], key: str, value: Any) -> None:
    *names, last = key.split(".")
    table = data
    for name in names:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ExperimentError(f"--set {key}: {name!r} is not a table.")
    if key in _BUDGETS:
        # A budget on the command line replaces the file's, which may be of another kind.
        for budget in _BUDGETS:
            table.pop(budget.rpartition(".")[2], None)
    table[last] = value


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _problems(error: ValidationError, inside: tuple[str, ...] = ()) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        place = (*inside, *problem["loc"])
        location = ".".join(map(str, place)) or "experiment"
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {location}: unknown key{did_you_mean(str(place[-1]), _known_keys(place[:-1]))}")
        elif problem["type"] == "missing":
            lines.append(f"  {location}: missing")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            shown = "" if isinstance(problem["input"], Mapping) else f", got {_short(problem['input'])}"
            lines.append(f"  {location}: {message[:1].lower()}{message[1:]}{shown}")
    return lines


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Experiment
    for part in location:
        field = model.model_fields.get(str(part)) if hasattr(model, "model_fields") else None
        model = field.annotation if field is not None else None
    return list(model.model_fields) if hasattr(model, "model_fields") else []


def _with_absolute_paths(experiment: Experiment, base: Path) -> Experiment:
    return experiment.model_copy(update={"inputs": _with_absolute(experiment.inputs, base)})


def _with_absolute(inputs: InputsConfig, base: Path) -> InputsConfig:
    changes: dict[str, Any] = {
        name: (base / value).absolute()
        for name in ("folder", "labels", "events")
        if (value := getattr(inputs, name)) is not None
    }
    if inputs.split.file is not None:
        changes["split"] = inputs.split.model_copy(update={"file": (base / inputs.split.file).absolute()})
    return inputs.model_copy(update=changes)
