import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets import fsdd
from vicinal.inputs.datasets.catalogue import Recording


def folder(path: Path, *names: str, n_channels: int = 1) -> Path:
    (path / "recordings").mkdir()
    for name in names:
        with wave.open(str(path / "recordings" / name), "wb") as file:
            file.setnchannels(n_channels)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(np.array([0, 16384, -32768, 8192], "<i2").tobytes())
    return path


def test_speakers_are_subjects_and_the_first_five_are_the_official_test(tmp_path: Path) -> None:
    names = ["1_theo_10.wav", "1_theo_4.wav", "0_theo_49.wav", "0_jackson_0.wav", "0_jackson_5.wav"]
    made = fsdd.catalogue(folder(tmp_path, *names))
    parts = made.officials["official"]
    assert [
        (one.id, one.subject, one.labels, part) for one, part in zip(made.recordings, parts, strict=True)
    ] == [
        ("0_jackson_0", "jackson", ("0",), "test"),
        ("0_jackson_5", "jackson", ("0",), "train"),
        ("0_theo_49", "theo", ("0",), "train"),
        ("1_theo_4", "theo", ("1",), "test"),
        ("1_theo_10", "theo", ("1",), "train"),
    ]
    assert any("speakers it trains on" in note for note in made.notes)


def test_other_files_are_listed_and_an_empty_folder_is_said(tmp_path: Path) -> None:
    made = fsdd.catalogue(folder(tmp_path, "0_theo_1.wav", "noise.wav"))
    assert made.skipped == (("noise.wav", "not called DIGIT_SPEAKER_NUMBER.wav"),)
    for place in (None, tmp_path / "recordings"):
        with pytest.raises(PathError, match=r"0_jackson_0\.wav"):
            fsdd.catalogue(place)
    with pytest.raises(PathError, match="names no file"):
        fsdd.read(Recording("0_theo_1", None, "theo", "theo", ("0",)))


def test_a_recording_is_audio_in_shares_of_full_scale(tmp_path: Path) -> None:
    signal = fsdd.read(fsdd.catalogue(folder(tmp_path, "3_theo_0.wav")).recordings[0])
    assert (signal.id, signal.subject, signal.channels) == ("3_theo_0", "theo", ("audio",))
    assert (signal.units, signal.rate_hz) == (("1",), 8000)
    np.testing.assert_array_equal(signal.samples, [[0, 0.5, -1, 0.25]])


def test_a_recording_with_two_channels_is_refused(tmp_path: Path) -> None:
    made = fsdd.catalogue(folder(tmp_path, "3_theo_0.wav", n_channels=2))
    with pytest.raises(FormatError, match="expected one channel, got 2"):
        fsdd.read(made.recordings[0])


def test_the_real_set_has_the_published_counts(real: Callable[[str], Path]) -> None:
    made = fsdd.catalogue(real("fsdd"))
    assert len(made.recordings) == 3000
    counts = Counter((one.subject, one.labels[0]) for one in made.recordings)
    assert len(counts) == 6 * 10
    assert set(counts.values()) == {50}
    assert Counter(made.officials["official"]) == {"train": 2700, "test": 300}
    assert made.skipped == ()


@pytest.mark.slow
def test_every_real_recording_is_read_at_8_khz(real: Callable[[str], Path]) -> None:
    for recording in fsdd.catalogue(real("fsdd")).recordings:
        signal = fsdd.read(recording)
        assert signal.rate_hz == 8000
        assert 0 < np.abs(signal.samples).max() <= 1
