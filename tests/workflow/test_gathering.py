from pathlib import Path

import pytest

from vicinal.errors import ExperimentError, NetworkError, PathError
from vicinal.experiment import load_experiment
from vicinal.terminal import QUIET
from vicinal.workflow.gathering import gather


def test_a_pack_is_made_once_and_shared(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    first = gather(experiment, data=None, show=QUIET)
    second = gather(experiment, data=None, show=QUIET)
    assert first.pack.hash == second.pack.hash
    assert first.pack.folder == second.pack.folder
    assert first.split.hash == second.split.hash


def test_fewer_training_subjects_leave_the_other_parts_alone(experiment_file: Path) -> None:
    full = gather(load_experiment(experiment_file)[0], data=None, show=QUIET).split
    few = gather(
        load_experiment(experiment_file, ["inputs.split.train_subjects=10"])[0], data=None, show=QUIET
    ).split
    assert len(few.indices("train")) == 10
    assert set(few.indices("train")) <= set(full.indices("train"))
    for part in ("validation", "calibration", "test"):
        assert few.indices(part).tolist() == full.indices(part).tolist()


def test_a_saved_split_is_used_as_it_is(experiment_file: Path, tmp_path: Path) -> None:
    saved = gather(load_experiment(experiment_file, ["inputs.split.seed=5"])[0], data=None, show=QUIET).split
    saved.write(tmp_path / "s.parquet")
    used = gather(
        load_experiment(experiment_file, [f"inputs.split.file={tmp_path / 's.parquet'}"])[0],
        data=None,
        show=QUIET,
    )
    assert used.split.hash == saved.hash


def test_the_network_is_refused_before_anything_is_read(
    experiment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vicinal.workflow.packing.write_pack", None)
    too_long = "representations.network=conv 8 window 200 | mean | dense 1"
    experiment, _ = load_experiment(experiment_file, ["inputs.options.n_subjects=77", too_long])
    with pytest.raises(NetworkError, match="window 200 is longer than the 100 positions"):
        gather(experiment, data=None, show=QUIET)


def test_an_unknown_option_of_a_data_set_is_named(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file, ["inputs.options.allined=true"])
    with pytest.raises(
        ExperimentError, match=r"allined: synthetic has no such option, did you mean 'aligned'\?"
    ):
        gather(experiment, data=None, show=QUIET)


def test_a_missing_data_set_says_how_to_get_it(
    experiment_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("VICINAL_DATA", raising=False)
    experiment, _ = load_experiment(experiment_file, ["inputs.dataset=cinc2017", "inputs.options={}"])
    with pytest.raises(PathError, match="vicinal get cinc2017"):
        gather(experiment, data=tmp_path, show=QUIET)
    experiment, _ = load_experiment(experiment_file, ["inputs.dataset=cinc2016", "inputs.options={}"])
    with pytest.raises(ExperimentError, match=r"'cinc2016', did you mean 'cinc2017'\?"):
        gather(experiment, data=None, show=QUIET)
