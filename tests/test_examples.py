"""The notebooks of `examples/` run as they are, and what they show is what they print."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def without_numbers(text: str) -> list[str]:
    """Every word of each line: only numbers, and the spaces they leave, differ a little between processors."""
    return [" ".join(re.sub(r"[+-]?\d[\d,.]*", "#", line).split()) for line in text.splitlines()]


def shown(path: Path) -> str:
    outputs = [output for cell in code_cells(path) for output in cell["outputs"]]
    return "".join("".join(output["text"]) for output in outputs if output.get("name") == "stdout")


def test_the_decision_takes_fifteen_lines() -> None:
    (cell,) = [
        cell
        for cell in code_cells(EXAMPLES / "arrays-to-decision.ipynb")
        if "SignalClassifier(" in "".join(cell["source"])
    ]
    assert "classifier.decide(" in "".join(cell["source"])
    assert len([line for line in cell["source"] if line.strip()]) <= 15


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_as_one_run_from_top_to_bottom(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["name"]) == (4, "python3")
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert kinds == {"stream", "display_data"}
    assert path.stat().st_size < 100_000


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_it_shows(path: Path, tmp_path: Path) -> None:
    program = "\n\n".join("".join(cell["source"]) for cell in code_cells(path))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "MPLBACKEND": "agg"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert without_numbers(done.stdout) == without_numbers(shown(path))
    assert list(tmp_path.iterdir()) == []
