"""Test rows fit nothing: every function that fits on a score table is found, and refuses rows of other roles."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import vicinal
import vicinal.decisions
from vicinal.decisions.calibration import CalibrationKind, fit_calibration
from vicinal.decisions.policy import fit_policy
from vicinal.errors import RoleError
from vicinal.scoretable import FITTING_ROLES, Role, ScoreTable

SOURCE = Path(vicinal.__file__).parent

FITTING: dict[str, list[Callable[[ScoreTable], Any]]] = {
    "calibration.fit_calibration": [
        lambda table, kind=kind: fit_calibration(table, kind)
        for kind in (*get_args(CalibrationKind), "auto")
        if kind != "none"  # it fits nothing
    ],
    "policy.fit_policy": [
        lambda table, aim=aim: fit_policy(table, aim=aim)
        for aim in ("sensitivity >= 0.5", "specificity >= 0.5", "ppv >= 0.1", "npv >= 0.1", "f1")
    ]
    + [
        lambda table: fit_policy(table, aim="cost miss=5 alarm=1"),
        lambda table: fit_policy(table, aim="alarms <= 500 per 1000"),
        lambda table: fit_policy(table, aim="f1", refer={"share": 0.1}),
        lambda table: fit_policy(table, aim="f1", refer={"risk": 0.5}),
        lambda table: fit_policy(table, aim="A: f1"),
        lambda table: fit_policy(table, aim="alarms <= 3000 per day"),
        lambda table: fit_policy(table, aim="sensitivity >= 0.5", confidence=0.5),
    ],
}
"""Every function of the room that fits on a table, with each way to call it."""

JUDGING = {"meaning.meaning", "meaning.alarm_rates", "policy.along"}
"""Functions of the room that take a table and fit nothing."""

ON_ARRAYS = {
    "choose_threshold", "refer_band", "prevalence_weights", "lowest_onset", "guaranteed_threshold",
    "one_row_per_subject", "alarm_aims",
}  # fmt: skip
"""What chooses on plain arrays, which have no role: for this room alone."""


FORMULAS = {
    "shift_prevalence", "allowed_misses", "least_subjects", "parse_refer", "event_times", "find_alarms",
    "observed_days", "joined", "decide_exclusive", "spell_alarm_aims",
}  # fmt: skip
"""Formulas and words, which choose nothing."""


def functions_of_the_room() -> dict[str, Callable[..., Any]]:
    found = {}
    for module in pkgutil.iter_modules(vicinal.decisions.__path__):
        loaded = importlib.import_module(f"vicinal.decisions.{module.name}")
        for name, one in inspect.getmembers(loaded, inspect.isfunction):
            if one.__module__ == loaded.__name__ and not name.startswith("_"):
                found[f"{module.name}.{name}"] = one
    return found


def takes_a_table(function: Callable[..., Any]) -> bool:
    return any("ScoreTable" in str(one.annotation) for one in inspect.signature(function).parameters.values())


def rows(role: Role) -> ScoreTable:
    truth = np.tile([0.0, 1.0, 0.0, 1.0, 1.0], 8)[:, None]
    logits = np.linspace(-2, 2, 40)[:, None]
    return ScoreTable(
        task="binary", classes=("A",), role=role, ids=np.arange(40).astype(str),
        truth=truth, logits=logits, probabilities=1 / (1 + np.exp(-logits)),
        columns={"record": np.repeat("r", 40), "position_s": np.arange(40.0)},
    )  # fmt: skip


def test_every_function_that_takes_a_table_is_known_to_fit_or_to_judge() -> None:
    found = {name for name, one in functions_of_the_room().items() if takes_a_table(one)}
    assert found == set(FITTING) | JUDGING


@pytest.mark.parametrize("role", sorted(set(get_args(Role)) - set(FITTING_ROLES)))
@pytest.mark.parametrize("name", sorted(FITTING))
def test_rows_of_other_roles_fit_nothing(name: str, role: Role) -> None:
    for call in FITTING[name]:
        with pytest.raises(RoleError, match=f"got '{role}' rows"):
            call(rows(role))


@pytest.mark.parametrize("name", sorted(FITTING))
def test_the_same_calls_fit_on_calibration_rows(name: str) -> None:
    for call in FITTING[name]:
        assert call(rows("calibration")) is not None


def test_arrays_without_a_role_are_fitted_in_this_room_only() -> None:
    on_arrays = {
        name.partition(".")[2]
        for name, one in functions_of_the_room().items()
        if not takes_a_table(one) and name.startswith(("thresholds.", "guarantee.", "events.", "exclusive."))
    } - FORMULAS
    assert on_arrays == ON_ARRAYS
    strangers = [
        f"{path.relative_to(SOURCE)} imports {alias.name}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.parent.name != "decisions"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in ON_ARRAYS
    ]
    assert strangers == []


def test_nothing_outside_the_room_fits_on_a_table() -> None:
    """A function elsewhere that takes a table and returns a calibration or a policy would escape this page."""
    strangers = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.parent.name == "decisions":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            takes = any(one.annotation and "ScoreTable" in ast.unparse(one.annotation) for one in every)
            gives = ast.unparse(node.returns) if node.returns else ""
            if takes and (node.name.startswith("fit") or {"Calibration", "Policy"} & set(gives.split(" | "))):
                strangers.append(f"{path.relative_to(SOURCE)}: {node.name}")
    assert strangers == []
