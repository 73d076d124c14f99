"""The commands of `examples/trade-offs/` run, and say everything that their page explains."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vicinal.experiment import load_experiment
from vicinal.representations.network import resolve

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "trade-offs"
EXPERIMENTS = ("width-and-depth", "rate-and-batch", "pipeline")
BRIEF = [
    "--set",
    "training.steps=40",
    "--set",
    "evidence.resamples=100",
    "--set",
    "inputs.options.n_subjects=200",
]
FEWER = ["--set", "inputs.split.train_subjects=60"]


def commands(text: str) -> list[str]:
    """Return the comparisons of a text, with lines that go on joined."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"^ {2,4}vicinal (compare examples/.*)", joined, flags=re.MULTILINE)
    return [" ".join(command.split()) for command in found]


def command_of(name: str) -> str:
    (command,) = [one for one in commands((FOLDER / "README.md").read_text()) if f"/{name}.toml" in one]
    return command


def first_cells(name: str, *, n: int = 1) -> list[tuple[str, ...]]:
    """Return the first n cells of every row of an example's table."""
    page = (FOLDER / "README.md").read_text()
    table = page.split(f"trade-offs/{name}.toml")[1].split("\n## ")[0]
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*", table, re.M)
    ]
    return [tuple(row[:n]) for row in rows[2:]]


def compared(name: str, tmp_path: Path, *more: str) -> tuple[dict[str, Any], str]:
    """Run the command as it is written, only shorter; return its numbers and its page as text."""
    arguments = [
        *shlex.split(command_of(name)),
        "--output",
        str(tmp_path / name),
        "--seeds",
        "1",
        *BRIEF,
        *more,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "vicinal", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / name / "compare.json").read_text()), (
        tmp_path / name / "compare.md"
    ).read_text()


def whole(network: dict[str, Any]) -> dict[str, Any]:
    return next(point for point in network["curve"] if point["share"] == 1)


def test_every_example_is_explained_with_its_command() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(EXPERIMENTS)
    for name in EXPERIMENTS:
        head = re.sub(r"^#", " ", (FOLDER / f"{name}.toml").read_text(), flags=re.MULTILINE)
        assert commands(head) == [command_of(name)]
        experiment, _ = load_experiment(FOLDER / f"{name}.toml")
        assert experiment.inputs.dataset == "synthetic"
        resolve(experiment.representations.network)


def test_links_of_the_page_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (FOLDER / "README.md").read_text())
    assert targets
    assert [target for target in targets if not (FOLDER / target).exists()] == []


@pytest.mark.slow
def test_width_and_depth_have_fit_gap_and_concentration(tmp_path: Path) -> None:
    evidence, page = compared("width-and-depth", tmp_path, *FEWER)
    networks = evidence["networks"]
    assert {(name,) for name in networks} == set(first_cells("width-and-depth"))
    for network in networks.values():
        assert [point["share"] for point in network["curve"]] == [0.25, 1]
        for point in network["curve"]:
            assert 0 <= point["train"] <= 1
            assert point["gap"]["value"] == pytest.approx(point["train"] - point["value"], abs=1e-9)
            assert point["gap"]["low"] <= point["gap"]["value"] <= point["gap"]["high"]
        spread = network["concentration"]
        assert 0.1 <= spread["low"] <= spread["value"] <= spread["high"] <= 1
    assert networks["conv@64"]["parameters"] > networks["conv@2"]["parameters"]
    assert len(networks["conv@16x1"]["stages"]) < len(networks["conv@16"]["stages"])
    assert all(f"| {column} |" in page for column in ("gap", "in a tenth"))


@pytest.mark.slow
def test_rate_and_batch_have_seconds_to_the_target_and_findings(tmp_path: Path) -> None:
    evidence, page = compared("rate-and-batch", tmp_path, "--target", "0.5", *FEWER)
    rows = first_cells("rate-and-batch", n=2)
    names = {f"learning_rate {rate}, batch {batch}" for rate, batch in rows}
    assert set(evidence["networks"]) == names
    assert evidence["target_stated"]
    reached = []
    for network in evidence["networks"].values():
        seconds = network["seconds_to_target"]
        assert seconds["n_seeds"] == 1
        if seconds["n_reached"]:
            assert 0 < seconds["least"] <= seconds["median"] <= seconds["most"]
        reached.append(seconds["n_reached"])
        assert all(n == 1 for n in network["findings"].values())
    assert max(reached) > 0
    found = {kind for network in evidence["networks"].values() for kind in network["findings"]}
    assert found
    assert "the monitor found" in page
    assert all(kind in page for kind in found)


@pytest.mark.slow
def test_every_step_of_the_pipeline_has_its_gain_and_what_it_costs(tmp_path: Path) -> None:
    evidence, page = compared("pipeline", tmp_path)
    removed = {one["name"].removeprefix("without "): one for one in evidence["removed"]}
    (_, *named) = first_cells("pipeline")
    assert {(name,) for name in removed} == set(named)
    for one in removed.values():
        assert one["gain"]["low"] <= one["gain"]["value"] <= one["gain"]["high"]
        assert isinstance(one["ms_per_recording"], float)
    fields = {name: one["contract_fields"] for name, one in removed.items() if one["kind"] == "preparation"}
    assert fields == {"resample": 1, "high_pass": 2, "scale": 2, "usual_event": 3, "event_intervals": 2}
    assert "scipy" in removed["high_pass"]["packages"]
    # Recordings have the contract's rate: without the step they are the same, and so is all that is learnt from them.
    assert removed["resample"]["gain"]["value"] == 0
    assert any(all(name in one["sentence"] for name in removed) for one in evidence["verdict"])
    assert all(words in page for words in ("ms a recording", "packages", "fields of the contract"))
