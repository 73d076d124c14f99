from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.leakage.audit import audit
from vicinal.inputs.leakage.finding import Finding
from vicinal.inputs.pack import Pack
from vicinal.inputs.packing import write_pack
from vicinal.inputs.splits import Split
from vicinal.signal import Signal

PARTS = np.array(["train"] * 4 + ["validation"] * 2 + ["test"] * 4)


def read(recording: Recording) -> Signal:
    samples = np.random.default_rng(recording.seed).normal(size=(1, 50)).astype(np.float32)
    if recording.seed == 99:
        samples[:] = 0
    return Signal(samples=samples, channels=("ECG",), units=("mV",), rate_hz=50.0, id=recording.id)


def pack(
    folder: Path,
    *,
    seeds: dict[int, int] | None = None,
    groups: dict[int, str] | None = None,
    subjects: bool = True,
    positives: tuple[int, ...] = (0, 4, 6),
) -> Pack:
    """Ten rows, row k of subject and group gk with the signal of seed k, apart from what is given."""
    recordings = tuple(
        Recording(
            id=f"r{k}",
            path=None,
            subject=f"g{k}" if subjects else None,
            group=(groups or {}).get(k, f"g{k}"),
            labels=("A",),
            seed=(seeds or {}).get(k, k),
        )
        for k in range(10)
    )
    catalogue = Catalogue(name="made", classes=("A",), recordings=recordings, has_subjects=subjects)
    truth = np.isin(np.arange(10), positives).astype(np.float64).reshape(-1, 1)
    contract = Contract(channels=("ECG",), rate_hz=50, duration_s=1, units="mV")
    return write_pack(folder, catalogue=catalogue, read=read, contract=contract, classes=("A",), truth=truth)


def findings(made: Pack, parts: np.ndarray = PARTS) -> dict[str, Finding]:
    return {finding.kind: finding for finding in audit(made, Split(ids=made.ids, parts=parts))}


def test_clean_data_have_no_findings(tmp_path: Path) -> None:
    assert findings(pack(tmp_path / "p")) == {}


def test_a_group_on_both_sides_is_a_leak(tmp_path: Path) -> None:
    found = findings(pack(tmp_path / "p", groups={0: "twins", 7: "twins"}))
    assert list(found) == ["groups_across_parts"]
    assert found["groups_across_parts"].severity == "leak"
    assert found["groups_across_parts"].ids == ("r0", "r7")
    assert (
        "1 groups have rows in more than one part of the split (twins)"
        in found["groups_across_parts"].message
    )


def test_a_subject_on_both_sides_is_a_leak(tmp_path: Path) -> None:
    recordings = tuple(
        Recording(id=f"r{k}", path=None, subject=f"s{k // 2}", group=f"s{k // 2}", labels=("A",), seed=k)
        for k in range(10)
    )
    catalogue = Catalogue(name="made", classes=("A",), recordings=recordings, has_subjects=True)
    contract = Contract(channels=("ECG",), rate_hz=50, duration_s=1, units="mV")
    truth = (np.arange(10) % 2).astype(np.float64).reshape(-1, 1)
    made = write_pack(
        tmp_path / "p", catalogue=catalogue, read=read, contract=contract, classes=("A",), truth=truth
    )
    assert findings(made) == {}
    shifted = np.roll(PARTS, 1)
    assert list(findings(made, shifted)) == ["subjects_across_parts"]
    assert findings(made, shifted)["subjects_across_parts"].ids == ("r0", "r1", "r4", "r5", "r6", "r7")


def test_the_same_signal_on_both_sides_is_a_leak_and_on_one_side_a_note(tmp_path: Path) -> None:
    found = findings(pack(tmp_path / "p", seeds={7: 0, 8: 6, 9: 6}))
    assert {kind: finding.severity for kind, finding in found.items()} == {
        "identical_across_parts": "leak",
        "identical_within_part": "note",
    }
    assert found["identical_across_parts"].ids == ("r0", "r7")
    assert sorted(found["identical_within_part"].ids) == ["r6", "r8", "r9"]


def test_unused_rows_leak_nothing(tmp_path: Path) -> None:
    parts = PARTS.copy()
    parts[7] = "unused"
    found = findings(pack(tmp_path / "p", seeds={7: 0}, groups={7: "g0"}), parts)
    assert "identical_across_parts" not in found
    assert "groups_across_parts" not in found


def test_rows_without_signal_are_counted_and_are_no_twins(tmp_path: Path) -> None:
    found = findings(pack(tmp_path / "p", seeds={1: 99, 8: 99}))
    assert list(found) == ["constant_rows"]
    assert found["constant_rows"].ids == ("r1", "r8")
    assert found["constant_rows"].message.startswith("2 of 10 rows are constant or empty")


def test_a_class_that_a_part_lacks_is_a_warning(tmp_path: Path) -> None:
    found = findings(pack(tmp_path / "p", positives=(0, 6)))
    assert found["class_missing"].severity == "warning"
    assert found["class_missing"].message == "No positive row of A among the 2 validation rows."


def test_data_without_subjects_say_so(tmp_path: Path) -> None:
    found = findings(pack(tmp_path / "p", subjects=False))
    assert list(found) == ["no_subjects"]
    assert "assumes one recording per person" in found["no_subjects"].message


def test_a_split_of_other_rows_is_refused(tmp_path: Path) -> None:
    other = Split(ids=np.array([f"x{k}" for k in range(10)]), parts=PARTS)
    with pytest.raises(ExperimentError, match="made for other rows"):
        audit(pack(tmp_path / "p"), other)
