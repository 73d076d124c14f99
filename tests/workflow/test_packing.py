import json
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, NetworkError, PathError
from vicinal.experiment import load_experiment
from vicinal.inputs.pack import Pack
from vicinal.terminal import QUIET
from vicinal.workflow.gathering import gather
from vicinal.workflow.packing import describe_pack, pack, verify

EVENTS = 'inputs.task="events"'
BEATS = [
    EVENTS, "inputs.positive=[]", 'inputs.classes=["N", "V"]', "decisions.aim=argmax", "decisions.prevalence=0.5",
    "representations.network=conv classes window 5 same",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return pack(experiment_file, output=tmp_path_factory.mktemp("packs") / "hearts")


def test_without_output_a_run_finds_the_pack(experiment_file: Path) -> None:
    found = pack(experiment_file)
    experiment, _ = load_experiment(experiment_file)
    assert gather(experiment, data=None, show=QUIET).pack.folder == found.folder


def test_a_given_pack_is_used_as_it_is(experiment_file: Path, made: Pack) -> None:
    experiment, _ = load_experiment(experiment_file)
    gathered = gather(experiment, data=made.folder, show=QUIET)
    assert gathered.pack.folder == made.folder
    assert gathered.split.hash == gather(experiment, data=None, show=QUIET).split.hash


def test_int16_is_chosen_in_the_experiment(experiment_file: Path, made: Pack, tmp_path: Path) -> None:
    half = pack(experiment_file, output=tmp_path / "half", overrides=["inputs.storage.dtype=int16"])
    assert describe_pack(half)["bytes"] * 2 == describe_pack(made)["bytes"] == 120 * 100 * 4
    rows = np.arange(len(half))
    assert np.abs(half.rows(rows)[0] - made.rows(rows)[0]).max() <= half.storage.max_error


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("inputs.contract.min_duration_s=0.5", r"contract\.min_duration_s: expected 0\.5, got 0\.0"),
        ('inputs.positive=["healthy"]', "classes: expected healthy, got disease"),
        (EVENTS, "task: expected events, got binary"),
    ],
)
def test_a_pack_for_another_experiment_is_refused(
    experiment_file: Path, made: Pack, override: str, message: str
) -> None:
    overrides = BEATS if override == EVENTS else [override]
    experiment, _ = load_experiment(experiment_file, overrides)
    with pytest.raises(FormatError, match=f"is a pack for another experiment: .*{message}"):
        gather(experiment, data=made.folder, show=QUIET)


def test_a_pack_is_not_packed_again(experiment_file: Path, made: Pack, tmp_path: Path) -> None:
    with pytest.raises(PathError, match="is a pack already"):
        pack(experiment_file, data=made.folder, output=tmp_path / "again")


def test_verify_names_the_rows_that_changed(experiment_file: Path, tmp_path: Path) -> None:
    found = pack(experiment_file, output=tmp_path / "p")
    assert verify(found.folder).to_dict() == {
        "folder": str(found.folder), "n": 120, "whole": True, "changed": [], "problem": "",
    }  # fmt: skip
    samples = found.folder / "samples.bin"
    data = bytearray(samples.read_bytes())
    data[400 * 7] ^= 1
    samples.write_bytes(data)
    assert verify(found.folder).changed == (str(found.ids[7]),)
    (found.folder / "skipped.json").write_text("[1]\n")
    with pytest.raises(FormatError, match=r"bytes in skipped\.json"):
        verify(found.folder)


def test_verify_says_when_the_manifest_changed(experiment_file: Path, tmp_path: Path) -> None:
    found = pack(experiment_file, output=tmp_path / "p")
    data = bytearray((found.folder / "manifest.parquet").read_bytes())
    data[-1] ^= 1
    (found.folder / "manifest.parquet").write_bytes(data)
    verified = verify(found.folder)
    assert not verified.is_whole
    assert "manifest.parquet was changed" in verified.problem


def test_what_a_pack_holds_is_json(made: Pack) -> None:
    told = json.loads(json.dumps(describe_pack(made)))
    assert told["n"] == 120
    assert told["task"] == "binary"
    assert told["counts"] == {"disease": 60}
    assert told["dtype"] == "float32"


def test_events_are_packed_split_and_audited(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file, BEATS)
    gathered = gather(experiment, data=None, show=QUIET)
    assert gathered.pack.task == "events"
    found = gathered.pack.events(0)
    assert found is not None
    assert len(found.symbols) > 0
    assert gathered.pack.truth.shape == (120, 2)
    assert gathered.pack.counts["N"] > 0


def test_a_network_must_answer_as_the_task_asks(
    experiment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vicinal.workflow.packing.write_pack", None)
    mean, along = "conv 4 window 5 | mean | dense classes", "conv classes window 5 same"
    for overrides, error, match in (
        ([*BEATS, f"representations.network={mean}"], NetworkError, "stage 2, 'mean', leaves none"),
        ([f"representations.network={along}"], NetworkError, "wants one answer for a recording"),
        ([*BEATS, 'inputs.classes=["N"]'], ExperimentError, "name at least two"),
        ([*BEATS, 'evidence.robustness=["gain"]'], ExperimentError, "about single events"),
    ):
        experiment, _ = load_experiment(experiment_file, ["inputs.options.n_subjects=121", *overrides])
        with pytest.raises(error, match=match):
            gather(experiment, data=None, show=QUIET)
