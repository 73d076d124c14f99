import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vicinal.errors import FormatError, PathError
from vicinal.evidence.report.spelling import count, milliseconds, number
from vicinal.workflow.deciding import decide
from vicinal.workflow.reporting import report
from vicinal.workflow.running import Run, run


def test_the_report_holds_the_run(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    assert "Made-up hearts, few" in page
    assert f"{finished.evidence['metrics']['auroc']['value']:.3f}" in page
    assert "conv 4 window 20 stride 5" in page
    assert page.count("<svg") >= 5


def test_the_report_asks_for_nothing_from_anywhere(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)([^"']+)""", page) == []
    assert str(finished.folder) not in page


def test_the_worst_errors_show_what_the_network_looked_at(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    errors = page.split('<section id="errors">')[1].split("</section>")[0]
    assert errors.count("<figcaption>") == errors.count('<span class="raised">raised</span>') > 0
    assert errors.count('<path class="for l4"') + errors.count('<path class="against l4"') >= errors.count(
        "<svg"
    )


def test_the_same_run_gives_the_same_bytes(finished: Run, experiment_file: Path, tmp_path: Path) -> None:
    again = run(experiment_file, output=tmp_path / "again")
    one, other = (
        re.sub(rb"train seconds</dt><dd>[^<]*", b"", (done.folder / "report.html").read_bytes())
        for done in (finished, again)
    )
    assert one == other


def test_made_again_from_its_folder_it_has_the_same_bytes(finished: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "elsewhere"))
    before = [(folder / name).read_bytes() for name in ("report.html", "report.md")]
    for name in ("report.html", "report.md"):
        (folder / name).unlink()
    written = report(folder)
    assert [written.page.read_bytes(), written.text.read_bytes()] == before
    report(folder)
    assert [written.page.read_bytes(), written.text.read_bytes()] == before


def test_a_cross_validation_is_made_again_too(crossed: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(crossed.folder, tmp_path / "crossed"))
    before = (folder / "report.html").read_bytes()
    assert report(folder).page.read_bytes() == before
    # Each row is decided by the policy of its fold, as the evidence has it.
    assert "Confusion: disease" in before.decode()


def numbers_in(value: Any) -> Iterator[Any]:
    """Every number and text of the evidence."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from numbers_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from numbers_in(one)
    else:
        yield value


_NUMBER = r"-?\d[\d,]*(?:\.\d+)?"


@pytest.mark.parametrize("again", [False, True])
def test_every_number_in_the_tables_of_the_text_is_in_the_evidence(
    finished: Run, again: bool, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "hearts"))
    if again:
        decide(folder, aim="specificity >= 0.7", refer="share=0.1")
    evidence = json.loads((folder / "evidence.json").read_text())
    known: set[str] = set()
    for one in numbers_in(evidence):
        if isinstance(one, str):
            known.update(re.findall(_NUMBER, one))
        elif one is not None and not isinstance(one, bool):
            known |= {
                number(one),
                count(one),
                milliseconds(one).removesuffix(" ms"),
                f"{one:g}",
                f"{100 * one:.1f}",
            }
    known |= {"1", "2", "95"}  # which of the commands; the column's name
    text = (folder / "report.md").read_text().split("## Model card")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    found = [(token, line) for line in lines for token in re.findall(_NUMBER, line)]
    assert len(found) > 200
    assert [pair for pair in found if pair[0] not in known] == []
    # And the other way round: every metric, with its interval and counts, stands in the text.
    for name, entry in evidence["metrics"].items():
        row = f"| {name} | {number(entry['value'])} | {number(entry['low'])} to {number(entry['high'])}"
        assert row in text


def test_what_is_no_run_says_so(tmp_path: Path, finished: Run) -> None:
    with pytest.raises(PathError, match="not the folder of a finished run"):
        report(tmp_path)
    folder = Path(shutil.copytree(finished.folder, tmp_path / "hearts"))
    (folder / "history.jsonl").write_text("[]\n")
    with pytest.raises(FormatError, match="one JSON object a line"):
        report(folder)
    evidence = json.loads((folder / "evidence.json").read_text())
    evidence["protocol"]["classes"] = ["other"]
    (folder / "evidence.json").write_text(json.dumps(evidence))
    with pytest.raises(FormatError, match="expected the classes of evidence"):
        report(folder)
    (folder / "model.vicinal").unlink()
    with pytest.raises(PathError, match=r"holds no model.vicinal"):
        report(folder)


def test_a_network_without_gradients_has_its_errors_explained_by_hiding(
    experiment_file: Path, tmp_path: Path
) -> None:
    overrides = ['representations.network="minirocket 84 | norm | dense 1"', "training.epochs=1"]
    done = run(experiment_file, output=tmp_path / "counted", overrides=overrides)
    errors = (
        (done.folder / "report.html").read_text().split('<section id="errors">')[1].split("</section>")[0]
    )
    assert errors.count("<figcaption>") > 0
    assert errors.count('<path class="for l4"') + errors.count('<path class="against l4"') >= errors.count(
        "<svg"
    )
