from pathlib import Path

import pytest

from vicinal.errors import ExperimentError, PathError
from vicinal.experiment import load_experiment, parse_experiment

TEXT = """
title = "A small experiment"
[inputs]
dataset = "synthetic"
task = "binary"
positive = ["disease"]
[inputs.contract]
channels = ["ECG"]
rate_hz = 100
duration_s = 1
units = "mV"
[representations]
network = "dense 1"
[training]
epochs = 2
"""


def test_defaults_are_those_of_the_documentation() -> None:
    experiment = parse_experiment(TEXT)
    assert experiment.seed == 0
    assert experiment.inputs.split.test == 0.2
    assert experiment.aim == "sensitivity >= 0.95"
    assert experiment.inputs.contract.input_shape == (1, 100)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 2", "epochs = 2\nlearning_rat = 1", r"learning_rat: unknown key, did you mean 'learn"),
        ("[training]", "[trainin]", r"trainin: unknown key, did you mean 'training'\?"),
        ("rate_hz = 100\n", "", r"inputs.contract: axes time need rate_hz"),
        ("rate_hz = 100", "rate_hz = nan", r"inputs.contract.rate_hz: .*finite"),
        ("rate_hz = 100", "rate_hz = inf", r"inputs.contract.rate_hz: .*finite"),
        ("rate_hz = 100", "rate_hz = -1", r"inputs.contract.rate_hz: .*greater than .*, got -1"),
        ("epochs = 2", "epochs = 0", r"training.epochs: .*greater than or equal to 1"),
        ("epochs = 2", 'epochs = "two"', r'training.epochs: .*integer.*got "two"'),
        ("epochs = 2", "epochs = 2\nminutes = 1", r"training: expected exactly one budget"),
        ("epochs = 2", "epochs = 2\nbatch = 0", r"training.batch: "),
        ("epochs = 2", "epochs = 2\nbatch = -3", r"training.batch: "),
        ("epochs = 2", "epochs = 2\nlearning_rate = 0", r"training.learning_rate: "),
        ("epochs = 2", "epochs = 2\nlearning_rate = 1e9", r"training.learning_rate: "),
        ("epochs = 2", "epochs = 2\nepochs = 3", r"not TOML"),
        ('task = "binary"', 'task = "binry"', r"inputs.task: "),
        ('positive = ["disease"]', "", r'positive = \["..."\] goes with task = "binary"'),
        ('dataset = "synthetic"', "", r"give either dataset"),
        ('dataset = "synthetic"', 'dataset = "synthetic"\nfolder = "x"', r"only one of them"),
        ('title = "A small experiment"', "title = 3", r"title: .*string, got 3"),
        ('title = "A small experiment"', "title = 010", r"not TOML"),
        ('title = "A small experiment"', "seed = -1", r"title: missing\n  seed: .*got -1"),
        ("[training]", "[decisions]\nprevalence = 1.0\n[training]", r"decisions.prevalence: "),
        ("[training]", '[evidence]\nsubgroups = ["a", "b", "a"]\n[training]', r"subgroups: 'a' stands there more"),
        ("[training]", "[inputs.split]\ntest = 0.9\n[training]", r"leave a share to train on"),
    ],
)  # fmt: skip
def test_every_problem_is_named_with_its_place(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(ExperimentError, match=message):
        parse_experiment(TEXT.replace(old, new))


def test_all_problems_come_at_once() -> None:
    text = TEXT.replace("epochs = 2", "epochs = 0\nlearnig_rate = 1").replace("rate_hz = 100", "rate_hz = 0")
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text)
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize("text", ["", "a: 1\n- b", "\x00", "x = " + "[" * 10_000])
def test_what_is_no_experiment_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="experiment"):
        parse_experiment(text)


def test_single_keys_are_set(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TEXT)
    experiment, text = load_experiment(
        tmp_path / "a.toml",
        [
            "training.epochs=7",
            "inputs.options.aligned=false",
            "representations.network=dense 2 | relu | dense 1",
        ],
    )
    assert experiment.training.epochs == 7
    assert experiment.inputs.options == {"aligned": False}
    assert experiment.representations.network == "dense 2 | relu | dense 1"
    assert text.endswith("# --set training.epochs=7\n# --set inputs.options.aligned=false\n"
                         "# --set representations.network=dense 2 | relu | dense 1\n")  # fmt: skip


def test_a_budget_on_the_command_line_replaces_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TEXT)
    experiment, _ = load_experiment(tmp_path / "a.toml", ["training.minutes=0.5"])
    assert experiment.training.minutes == 0.5
    assert experiment.training.epochs is None


@pytest.mark.parametrize("override", ["epochs", "=3", "a..b=1", "title.x=1"])
def test_a_wrong_setting_is_named(tmp_path: Path, override: str) -> None:
    (tmp_path / "a.toml").write_text(TEXT)
    with pytest.raises(ExperimentError, match="--set"):
        load_experiment(tmp_path / "a.toml", [override])


def test_paths_are_taken_from_where_the_file_lies(tmp_path: Path) -> None:
    text = TEXT.replace('dataset = "synthetic"', 'folder = "data"\nlabels = "data/l.csv"')
    (tmp_path / "a.toml").write_text(text + '[inputs.split]\nfile = "s.parquet"\n')
    experiment, _ = load_experiment(tmp_path / "a.toml")
    assert experiment.inputs.folder == tmp_path / "data"
    assert experiment.inputs.labels == tmp_path / "data" / "l.csv"
    assert experiment.inputs.split.file == tmp_path / "s.parquet"


def test_files_that_are_not_experiments(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="does not exist"):
        load_experiment(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match="not UTF-8"):
        load_experiment(tmp_path / "binary.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ExperimentError, match="larger than"):
        load_experiment(tmp_path / "huge.toml")
