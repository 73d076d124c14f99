from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets import mitdb
from vicinal.signal import Events, Signal


def folder(path: Path, *names: str) -> Path:
    for name in names:
        for suffix in ("hea", "dat", "atr"):
            (path / f"{name}.{suffix}").write_bytes(b"")
    return path


def signal() -> Signal:
    """Ten seconds at 100 Hz; beats at 1, 3 and 9.9 s, and a change of rhythm at 3.1 s."""
    events = Events(np.array([100, 300, 310, 990]), ("N", "V", "+", "N"))
    samples = np.arange(2000, dtype=np.float32).reshape(2, 1000)
    return Signal(samples, ("MLII", "V1"), ("mV", "mV"), 100.0, id="100", events=events)


def test_the_halves_are_de_chazals() -> None:
    assert len(mitdb.DS1) == len(mitdb.DS2) == 22
    assert len({*mitdb.DS1, *mitdb.DS2, *mitdb.PACED}) == 48
    assert ("201" in mitdb.DS1, "202" in mitdb.DS2) == (True, True)
    assert len(mitdb.BEATS) == len(set(mitdb.BEATS)) == 19


def test_201_and_202_are_one_man(tmp_path: Path) -> None:
    made = mitdb.catalogue(folder(tmp_path, "200", "201", "202"))
    assert [(one.id, one.subject, one.group) for one in made.recordings] == [
        ("200", "200", "200"),
        ("201", "201=202", "201=202"),
        ("202", "201=202", "201=202"),
    ]
    assert [one.columns["half"] for one in made.recordings] == ["ds2", "ds1", "ds2"]
    assert made.has_subjects
    assert len(made.skipped) == 45


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    for place in (None, tmp_path):
        with pytest.raises(PathError, match="vicinal get mitdb"):
            mitdb.catalogue(place)


def test_a_heartbeat_is_cut_with_its_events() -> None:
    beat = mitdb.heartbeat(signal(), number=1, before_s=0.4, after_s=0.6)
    assert beat.samples.shape == (2, 100)
    assert beat.samples[0, 0] == 260
    assert beat.start == pytest.approx(2.6)
    assert beat.events is not None
    assert beat.events.positions.tolist() == [40, 50]
    assert beat.events.symbols == ("V", "+")
    assert beat.id == "100-beat1"


def test_a_heartbeat_that_is_not_there_is_said() -> None:
    with pytest.raises(ExperimentError, match="has 3 beats, there is no number 3"):
        mitdb.heartbeat(signal(), number=3, before_s=0.4, after_s=0.6)
    with pytest.raises(ExperimentError, match="does not lie inside"):
        mitdb.heartbeat(signal(), number=2, before_s=0.4, after_s=0.6)
    with pytest.raises(FormatError, match="no annotations"):
        mitdb.heartbeat(replace(signal(), events=None), number=0, before_s=0.4, after_s=0.6)


@pytest.mark.slow
def test_the_real_set_has_the_published_counts(real: Callable[[str], Path]) -> None:
    made = mitdb.catalogue(real("mitdb"))
    assert len(made.recordings) == 48
    n_annotations = n_beats = 0
    for recording in made.recordings:
        found = mitdb.read(recording)
        assert found.samples.shape == (2, 650_000)
        assert found.rate_hz == 360
        assert found.events is not None
        n_annotations += len(found.events.symbols)
        n_beats += sum(symbol in mitdb.BEATS for symbol in found.events.symbols)
        if recording.id == "114":
            assert found.channels[1] == "MLII"
    assert (n_annotations, n_beats) == (112_647, 109_494)
