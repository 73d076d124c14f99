"""The documentation is complete and its examples work."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.experiment import Experiment, load_experiment, parse_experiment
from vicinal.inputs.datasets import synthetic
from vicinal.representations.network import resolve
from vicinal.workflow.asking import Asked
from vicinal.workflow.comparing import Comparison
from vicinal.workflow.contenders import contenders

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])


def keys_of(model: type[BaseModel]) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        names.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += keys_of(field.annotation)
    return names


def test_every_key_of_the_experiment_file_is_documented() -> None:
    page = (DOCS / "experiment.md").read_text()
    missing = [name for name in keys_of(Experiment) if f"`{name}`" not in page and f"{name}]" not in page]
    assert missing == []


def test_the_example_of_the_experiment_page_is_an_experiment() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (DOCS / "experiment.md").read_text(), flags=re.DOTALL)
    assert parse_experiment(example).training.epochs == 30


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_experiment_parses(path: Path) -> None:
    experiment, _ = load_experiment(path)
    resolve(experiment.representations.network)
    assert experiment.inputs.split.file is None or experiment.inputs.split.file.is_file()


def test_the_commands_page_is_what_help_says() -> None:
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "scripts" / "write_reference.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (DOCS / "commands.md").read_text() == script.reference(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_links_inside_the_documentation_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_room_has_its_page() -> None:
    rooms = ("inputs", "representations", "training", "scores", "decisions", "evidence", "workflow")
    assert [room for room in rooms if not (DOCS / f"{room}.md").is_file()] == []


def test_the_first_lines_of_the_readme_are_the_two_commands() -> None:
    blocks = re.findall(r"```(?:sh|text)\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert "make demo" in blocks[0]
    assert "make test" in blocks[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_commands_in_the_documentation_exist(page: Path) -> None:
    used = set(re.findall(r"`vicinal ([a-z]+)", page.read_text()))
    used |= set(re.findall(r"^vicinal ([a-z]+)", page.read_text(), flags=re.MULTILINE))
    listed = subprocess.run(
        [sys.executable, "-m", "vicinal", "--help"], capture_output=True, text=True, check=True
    )
    known = set(re.findall(r"^  ([a-z]+) ", listed.stdout, flags=re.MULTILINE))
    assert used <= known


def comparisons() -> list[str]:
    """Return every comparison that a page or an experiment names, with lines that go on joined."""
    pages = [*PAGES, ROOT / "benchmarks" / "LADDER.md", *(ROOT / "experiments").glob("*.toml")]
    text = "\n".join(re.sub(r"^#", " ", page.read_text(), flags=re.MULTILINE) for page in pages)
    found = re.findall(
        r"^ {2,4}(?:vicinal )(compare experiments/.*)", text.replace("\\\n", " "), flags=re.MULTILINE
    )
    return sorted(set(found))


@pytest.mark.parametrize("command", comparisons())
def test_every_documented_comparison_knows_its_networks(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it but the training."""

    def found(path: Path, asked: Asked, *, overrides: list[str], **_: object) -> Comparison:
        made = contenders(
            ROOT / path, asked.networks, asked.vary, by=asked.by, overrides=overrides, n_outputs=1
        )
        assert set(asked.cut or ()) <= {one.name for one in made}
        assert len(made) > 1
        return Comparison(path, {})

    monkeypatch.setattr("vicinal.workflow.comparing.compare", found)
    done = CliRunner().invoke(app, [*shlex.split(command), "--json"])
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_the_python_of_the_readme_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    rng = np.random.default_rng(0)
    names = {
        "X": rng.normal(size=(60, 1, 100)), "y": np.tile([0, 1], 30), "subjects": np.arange(60) // 2,
        "X_new": rng.normal(size=(5, 1, 100)),
    }  # fmt: skip
    exec(block, names)
    assert names["probabilities"].shape == (5, 2)


@pytest.mark.slow
def test_the_python_of_the_estimator_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "estimator.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 6
    rng = np.random.default_rng(0)
    names: dict[str, object] = {}
    for k, part in enumerate(("", "_aside", "_test", "_new")):
        y = np.arange(60) // 2 % 2
        names["X" + part] = (rng.normal(size=(60, 1, 100)) + y[:, None, None]).astype(np.float32)
        names["y" + part], names["subjects" + part] = y, 100 * k + np.arange(60) // 2
    exec("\n".join(blocks), names)
    assert names["search"].best_params_["network"] in names["texts"]  # type: ignore[attr-defined,operator]
    assert names["decisions"].shape == (60,)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(names["same"], names["classifier"].predict_proba(names["X_new"])[:, 1])  # type: ignore[attr-defined]
    assert names["calibrated"].predict_proba(names["X_new"]).shape == (60, 2)  # type: ignore[attr-defined]
    assert "Of 1,000 recordings, 50" in capsys.readouterr().out


@pytest.mark.slow
def test_the_ten_minutes_of_the_readme_work_as_written(tmp_path: Path) -> None:
    """Only what is in the README: files and table as it shows them, and its commands."""
    section = (ROOT / "README.md").read_text().split("## Your own recordings")[1].split("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    commands = [line.partition("#")[0] for line in block.splitlines()]
    assert len(commands) == 4
    table = ["file,finding,patient"]
    recordings = synthetic.catalogue(None, n_subjects=60, clips_per_subject=1).recordings
    for k, one in enumerate(recordings, start=1):
        folder = tmp_path / ("my-ecgs/rec" if k <= 50 else "new-ecgs")
        folder.mkdir(parents=True, exist_ok=True)
        samples = synthetic.read(one).samples[0]
        lines = [f"{10 * position},{value:.4f}" for position, value in enumerate(samples)]
        (folder / f"{k:03d}.csv").write_text("\n".join(["time [ms],II [mV]", *lines]))
        if k <= 50:
            table.append(f"{k:03d},{'ill' if 'disease' in one.labels else 'normal'},p{k}")
    (tmp_path / "my-ecgs" / "patients.csv").write_text("\n".join(table))
    for command in commands:
        arguments = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(
            arguments, cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (tmp_path / "runs" / "my-ecgs" / "report.html").is_file()
    scores = (tmp_path / "scores.csv").read_text().splitlines()
    assert scores[0] == "id,logit:ill,probability:ill,decision:ill"
    assert len(scores) == 11
