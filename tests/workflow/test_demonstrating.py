from pathlib import Path

import pytest

from vicinal.evidence.ladder.row import bias_of
from vicinal.representations.inspection import inspect
from vicinal.terminal import Terminal
from vicinal.workflow.demonstrating import NETWORKS, demo
from vicinal.workflow.telling import tell_demo


def test_the_networks_are_those_of_the_founding_example() -> None:
    counted = [
        inspect(text, input_shape=(1, 100), rate_hz=100, n_outputs=1).parameters for text in NETWORKS.values()
    ]
    assert counted == [965, 225, 33, 505]
    assert [bias_of(text) for text in NETWORKS.values()] == ["dense", "local", "conv", "conv+mean"]


@pytest.mark.slow
def test_the_demo_tells_the_whole_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VICINAL_DATA", str(tmp_path))
    found = demo(output=tmp_path / "demo")
    tell_demo(found, Terminal())
    out = capsys.readouterr().out

    assert len(found.compared) == 16
    assert [claim.question for claim in found.claims] == [
        "Faster",
        "Fewer parameters",
        "Less data",
        "Shift-invariant",
    ]
    for claim in found.claims:
        assert claim.sentence in " ".join(out.split())
    assert found.traced.probabilities == tuple(found.scored.table.probabilities[0])
    assert "vicinal get mitdb" in out
    assert {path.name for path in (tmp_path / "demo").iterdir()} >= {
        "report.html", "model.vicinal", "evidence.json", "new-person.csv", "scores.csv", "trace.html",
    }  # fmt: skip
