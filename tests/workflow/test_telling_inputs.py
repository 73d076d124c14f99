from pathlib import Path

import pytest

from vicinal.proposal.document import Question
from vicinal.terminal import Terminal
from vicinal.workflow.packing import Verified, pack
from vicinal.workflow.showing import show
from vicinal.workflow.starting import Started
from vicinal.workflow.telling_inputs import tell_pack, tell_shown, tell_started, tell_verified


def test_what_a_file_holds_is_a_sentence_and_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("II [mV]\n0\n1\n\n")
    tell_shown(show(tmp_path / "a.csv", rate_hz=2), Terminal())
    printed = capsys.readouterr().out
    assert "a: 1 channel of 2 positions (time) at 2 Hz, 1 s." in printed
    assert "II" in printed
    assert "missing" in printed


def test_what_was_found_assumed_and_asked_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    question = Question("The files do not say their rate.", "inputs.options.rate_hz", "--rate-hz")
    tell_started(
        Started(Path("a.toml"), ("2 recordings",), ("task: binary",), (question,), "text"), Terminal()
    )
    assert capsys.readouterr().out.splitlines() == [
        "Found", "  2 recordings", "Assumed", "  task: binary", "Only you know", "  The files do not say their rate.",
        "    -> inputs.options.rate_hz, or again with --rate-hz and --overwrite",
        "Wrote a.toml. Read it, then: vicinal run a.toml",
    ]  # fmt: skip


def test_a_pack_is_told_with_its_counts(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_pack(pack(experiment_file, output=tmp_path / "p"), Terminal())
    printed = capsys.readouterr()
    assert "120 rows of at most 1 x 100, float32, 0.0 MiB" in printed.out
    assert "disease" in printed.out
    assert "note: synthetic" in printed.err


def test_what_changed_in_a_pack_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_verified(Verified(tmp_path, 3, ("a", "b"), ""), Terminal())
    assert capsys.readouterr().out.endswith(
        "2 of 3 rows are not what was written. Pack the data again.\n  a\n  b\n"
    )
    tell_verified(Verified(tmp_path, 3, (), "its manifest.parquet was changed"), Terminal())
    assert capsys.readouterr().out == "its manifest.parquet was changed\n"
