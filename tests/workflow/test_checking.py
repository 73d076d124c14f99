"""Whatever of a run was fitted, chosen or counted on other rows than it says is found and named."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.policy import fit_policy
from vicinal.experiment import load_experiment
from vicinal.files import write_json
from vicinal.inputs.pack import Pack
from vicinal.inputs.reference import describe
from vicinal.inputs.splits import Split, with_fewer_groups
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET
from vicinal.workflow.checking import check_run
from vicinal.workflow.gathering import pack_of
from vicinal.workflow.running import Run


def table_of(run: Path, role: str) -> ScoreTable:
    return ScoreTable.read(run / "scores" / f"{role}.parquet")


def rewrite(run: Path, role: str, table: ScoreTable) -> None:
    (run / "scores" / f"{role}.parquet").write_bytes(table.to_parquet())


def threshold_on_test(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    model = Model.load(run / "model.vicinal")
    disguised = replace(table_of(run, "test"), role="calibration")
    policy = fit_policy(disguised, aim="sensitivity >= 0.8", prevalence=0.1, model_hash=model.hash)
    replace(model, policy=policy).save(run / "model.vicinal")


def threshold_on_validation(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    model = Model.load(run / "model.vicinal")
    policy = fit_policy(table_of(run, "validation"), aim="sensitivity >= 0.8", model_hash=model.hash)
    replace(model, policy=policy).save(run / "model.vicinal")


def calibration_on_test(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    """The whole chain after it is done again, so that nothing but the calibration is wrong."""
    model = Model.load(run / "model.vicinal")
    disguised = replace(table_of(run, "test"), role="validation")
    model = replace(model, calibration=fit_calibration(disguised), policy=None)
    for role in ("validation", "calibration", "test"):
        table = table_of(run, role)
        probabilities = model.calibration.apply(table.logits)
        rewrite(run, role, replace(table, probabilities=probabilities, model_hash=model.hash))
    policy = fit_policy(
        table_of(run, "calibration"), aim="sensitivity >= 0.8", prevalence=0.1, model_hash=model.hash
    )
    replace(model, policy=policy).save(run / "model.vicinal")


def statistics_of_all_rows(run: Path, pack: Pack) -> None:
    model = Model.load(run / "model.vicinal")
    reference = model.reference | describe(pack, np.arange(len(pack)), model.contract)
    replace(model, reference=reference).save(run / "model.vicinal")


def another_epoch(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    evidence = json.loads((run / "evidence.json").read_text())
    evidence["protocol"]["best_epoch"] = evidence["protocol"]["best_epoch"] % 3 + 1
    write_json(run / "evidence.json", evidence)


def mixed_rows(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    test, own = table_of(run, "test"), table_of(run, "calibration")
    rows = {
        name: np.concatenate([getattr(own, name), getattr(test, name)[:3]])
        for name in ("ids", "truth", "logits", "probabilities", "subjects")
    }
    columns = {name: np.concatenate([own.columns[name], test.columns[name][:3]]) for name in own.columns}
    rewrite(run, "calibration", replace(own, **rows, columns=columns))


def another_split(run: Path, pack: Pack) -> None:
    split = Split.read(run / "split.parquet")
    with_fewer_groups(split, pack.groups, n_train=20, seed=0).write(run / "split.parquet")


def another_model(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    rewrite(run, "test", replace(table_of(run, "test"), model_hash="f" * 64))


def damaged_model(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    data = bytearray((run / "model.vicinal").read_bytes())
    data[len(data) // 2] ^= 1
    (run / "model.vicinal").write_bytes(bytes(data))


def no_history(run: Path, pack: Pack) -> None:  # noqa: ARG001 - one signature
    (run / "history.jsonl").write_text("not JSON\n")


PLANTED: dict[str, tuple[Callable[[Path, Pack], None], set[str]]] = {
    "threshold chosen on test rows": (threshold_on_test, {"threshold_not_from_calibration"}),
    "threshold chosen on validation rows": (threshold_on_validation, {"threshold_not_from_calibration"}),
    "calibration fitted on test rows": (calibration_on_test, {"calibration_not_from_validation"}),
    "statistics of all rows": (statistics_of_all_rows, {"statistics_not_from_train"}),
    "epoch chosen elsewhere": (another_epoch, {"epoch_not_from_validation"}),
    "test rows among calibration rows": (mixed_rows, {"test_rows_fitted_on", "rows_of_another_part"}),
    "another split": (another_split, {"split_not_the_one_used", "statistics_not_from_train"}),
    "scores of another model": (another_model, {"scores_of_another_model"}),
    "a damaged model": (damaged_model, {"run_file_changed"}),
    "a damaged history": (no_history, {"run_file_changed"}),
}


def kinds(run: Path, pack: Pack) -> set[str]:
    experiment, _ = load_experiment(run / "experiment.toml")
    return {one.kind for one in check_run(run, experiment, pack, Split.read(run / "split.parquet"))}


@pytest.fixture(scope="module")
def pack(experiment_file: Path) -> Pack:
    return pack_of(load_experiment(experiment_file)[0], data=None, show=QUIET).pack


def test_a_run_as_it_was_made_has_no_finding(finished: Run, pack: Pack) -> None:
    assert kinds(finished.folder, pack) == set()


@pytest.mark.parametrize("case", PLANTED)
def test_what_was_done_to_a_run_is_found(case: str, finished: Run, pack: Pack, tmp_path: Path) -> None:
    plant, expected = PLANTED[case]
    run = shutil.copytree(finished.folder, tmp_path / "run")
    plant(run, pack)
    found = kinds(run, pack)
    assert expected <= found
    assert found - expected <= {"threshold_not_from_calibration"}  # what follows from other calibration rows


def test_other_data_are_said_to_be_other(finished: Run, pack: Pack) -> None:
    assert kinds(finished.folder, replace(pack, hash="0" * 64)) == {"data_changed"}
