from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets import mitdb
from vicinal.inputs.datasets.catalogue import Recording
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


def record(path: Path, name: str = "100", *, beats: str = "10:N 200:V 300:+ 390:e") -> Path:
    """Write a record of 400 samples at 100 Hz, two leads in format 16, with events "sample:symbol"."""
    codes = {"N": 1, "V": 5, "e": 34, "B": 25, "+": 28, "!": 31}
    values = np.arange(800, dtype="<i2")
    (path / f"{name}.dat").write_bytes(values.tobytes())
    leads = "".join(f"{name}.dat 16 200 16 0 0 0 0 {lead}\n" for lead in ("MLII", "V1"))
    (path / f"{name}.hea").write_text(f"{name} 2 100 400\n{leads}")
    words, last = [], 0
    for event in beats.split():
        position, symbol = event.split(":")
        words.append(codes[symbol] << 10 | int(position) - last)
        last = int(position)
    (path / f"{name}.atr").write_bytes(np.array([*words, 0], dtype="<u2").tobytes())
    return path


def test_the_maps_differ_in_escape_beats_and_in_rare_symbols() -> None:
    literature, ec57 = mitdb.BEAT_MAPS["literature"], mitdb.BEAT_MAPS["ec57"]
    by_class = {
        name: {c: "".join(sorted(s for s in table if table[s] == c)) for c in mitdb.CLASSES}
        for name, table in mitdb.BEAT_MAPS.items()
    }
    assert by_class == {
        "literature": {"N": "LNRej", "S": "AJSa", "V": "EV", "F": "F", "Q": "/Qf"},
        "ec57": {"N": "BLNR", "S": "AJSaejn", "V": "EVr", "F": "F", "Q": "/?Qf"},
    }
    assert set(ec57) == set(mitdb.BEATS)
    assert "!" not in {*literature, *ec57}


def test_the_official_splits_leave_out_paced_records_and_the_strict_one_202(tmp_path: Path) -> None:
    made = mitdb.catalogue(folder(tmp_path, "100", "101", "102", "201", "202"))
    assert made.officials == {
        "ds1-ds2": ("test", "train", "unused", "train", "test"),
        "ds1-ds2-strict": ("test", "train", "unused", "train", "unused"),
    }


@pytest.mark.parametrize(
    ("half", "ids"),
    [("all", ["100", "101", "102"]), ("both", ["100", "101"]), ("ds1", ["101"]), ("ds2", ["100"])],
)
def test_a_half_can_be_chosen(tmp_path: Path, half: str, ids: list[str]) -> None:
    made = mitdb.catalogue(folder(tmp_path, "100", "101", "102"), half=half)
    assert [one.id for one in made.recordings] == ids


def test_each_beat_is_a_recording(tmp_path: Path) -> None:
    made = mitdb.catalogue(record(tmp_path), view="beats")
    assert [(one.id, one.labels, one.subject) for one in made.recordings] == [
        ("100-10", ("N",), "100"),
        ("100-200", ("V",), "100"),
        ("100-390", ("N",), "100"),
    ]
    assert made.recordings[1].columns == {
        "record": "100", "half": "ds2", "symbol": "V", "position_s": 2.0,
    }  # fmt: skip
    assert made.officials["ds1-ds2"] == ("test",) * 3
    assert "Beat classes by the map 'literature', whole records." in made.notes
    late = mitdb.catalogue(tmp_path, view="beats", map="ec57", start_s=2)
    assert [(one.id, one.labels) for one in late.recordings] == [("100-200", ("V",)), ("100-390", ("S",))]
    assert "Beat classes by the map 'ec57', beats from 2 s on." in late.notes


def test_records_have_the_classes_of_their_beats_as_events(tmp_path: Path) -> None:
    made = mitdb.catalogue(record(tmp_path), view="events")
    assert [(one.id, one.subject) for one in made.recordings] == [("100", "100")]
    assert made.event_classes == made.classes == mitdb.CLASSES
    assert made.class_of == mitdb.BEAT_MAPS["literature"]
    assert "Beat classes by the map 'literature', whole records." in made.notes
    signal = mitdb.read(made.recordings[0])
    assert signal.events is not None
    assert signal.events.symbols == ("N", "V", "+", "e")
    assert mitdb.catalogue(tmp_path, view="events", map="ec57").class_of["e"] == "S"
    plain = mitdb.catalogue(tmp_path)
    assert (plain.event_classes, dict(plain.class_of)) == (mitdb.BEATS, {})
    with pytest.raises(ExperimentError, match="the view 'events' has map"):
        mitdb.catalogue(tmp_path, view="events", start_s=300)


def test_a_beat_reads_what_lies_around_it(tmp_path: Path) -> None:
    made = mitdb.catalogue(record(tmp_path), view="beats", before_s=0.4, after_s=1.1)
    first, middle, last = (mitdb.read(one) for one in made.recordings)
    assert first.samples.shape == middle.samples.shape == (2, 150)
    # The dat file counts up through both leads: sample k of MLII is 2 k, at 200 a millivolt.
    assert middle.samples[0, 0] == np.float32(160 * 2 / 200)
    assert middle.start == pytest.approx(1.6)
    assert middle.events is not None
    assert (middle.events.positions.tolist(), middle.events.symbols) == ([40, 140], ("V", "+"))
    assert np.isnan(first.samples).all(axis=0).sum() == 30
    assert first.samples[0, 30] == 0
    assert np.isnan(last.samples[:, 50:]).all()
    assert not np.isnan(last.samples[:, :50]).any()
    assert (last.id, last.subject, last.units) == ("100-390", "100", ("mV", "mV"))


def test_a_record_is_read_once_for_all_its_beats_and_not_lent_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_paths: list[str] = []
    read_file = mitdb.read_file

    def counting(path: Path, *, root: Path) -> Signal:
        read_paths.append(path.stem)
        return read_file(path, root=root)

    monkeypatch.setattr(mitdb, "read_file", counting)
    record(tmp_path)
    made = mitdb.catalogue(record(tmp_path, "101"), view="beats")
    for one in made.recordings:
        mitdb.read(one).samples[:] = 7
    assert mitdb.read(made.recordings[-1]).samples[0, 0] == np.float32(350 * 2 / 200)
    assert read_paths == ["100", "101"]


def test_a_beat_that_a_map_does_not_know_is_skipped_and_listed(tmp_path: Path) -> None:
    path = record(tmp_path, beats="10:N 20:B 30:!")
    made = mitdb.catalogue(path, view="beats")
    assert [one.id for one in made.recordings] == ["100-10"]
    assert ("100-20", "its symbol B is not in the map 'literature'") in made.skipped
    assert [one.id for one in mitdb.catalogue(path, view="beats", map="ec57").recordings] == [
        "100-10",
        "100-20",
    ]


def test_wrong_options_are_all_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        ExperimentError, match=r"view: got 'beat', did you mean 'beats'\?; half: .*; map: "
    ) as error:
        mitdb.catalogue(tmp_path, view="beat", half="ds3", map="ec58", before_s=-1, after_s=True, start_s=1e9)
    for name in ("before_s", "after_s", "start_s"):
        assert f"{name}: expected seconds" in str(error.value)
    with pytest.raises(ExperimentError, match="belong to the view 'beats'"):
        mitdb.catalogue(tmp_path, map="ec57")


def test_a_header_without_a_length_is_refused(tmp_path: Path) -> None:
    header = record(tmp_path) / "100.hea"
    header.write_text(header.read_text().replace("100 2 100 400", "100 2 100"))
    with pytest.raises(FormatError, match="expected the number of samples"):
        mitdb.catalogue(tmp_path, view="beats")


def test_a_recording_without_a_file_is_refused() -> None:
    with pytest.raises(PathError, match="names no file"):
        mitdb.read(Recording("100", None, None, "100", ()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ds1", "ds2"),
    [
        ("literature", (45_866, 944, 3_788, 415, 8), (44_259, 1_837, 3_221, 388, 7)),
        ("ec57", (45_834, 976, 3_788, 415, 8), (44_046, 2_050, 3_221, 388, 7)),
    ],
)
def test_the_real_beats_have_the_published_counts(
    real: Callable[[str], Path], name: str, ds1: tuple[int, ...], ds2: tuple[int, ...]
) -> None:
    made = mitdb.catalogue(real("mitdb"), view="beats", map=name)
    assert len(made.recordings) == 109_494
    counts = Counter((one.columns["half"], one.labels[0]) for one in made.recordings)
    assert tuple(counts["ds1", c] for c in mitdb.CLASSES) == ds1
    assert tuple(counts["ds2", c] for c in mitdb.CLASSES) == ds2
    assert Counter(made.officials["ds1-ds2"]) == {"train": 51_021, "test": 49_712, "unused": 8_761}
    assert made.skipped == ()


@pytest.mark.slow
def test_a_real_beat_is_the_record_around_its_peak(real: Callable[[str], Path]) -> None:
    root = real("mitdb")
    whole = {one.id: one for one in mitdb.catalogue(root, half="ds2").recordings}
    beats = mitdb.catalogue(root, view="beats", half="ds2").recordings
    assert [one.labels for one in beats if one.columns["record"] == "232"].count(("S",)) == 1_382
    for beat in (beats[5], beats[-5]):
        record = mitdb.read(whole[str(beat.columns["record"])])
        start = beat.options["position"] - 144
        np.testing.assert_array_equal(mitdb.read(beat).samples, record.samples[:, start : start + 360])


@pytest.mark.slow
def test_the_real_set_has_the_published_counts(real: Callable[[str], Path]) -> None:
    made = mitdb.catalogue(real("mitdb"))
    assert len(made.recordings) == 48
    n_annotations = n_beats = n_flutter = 0
    for recording in made.recordings:
        found = mitdb.read(recording)
        assert found.samples.shape == (2, 650_000)
        assert found.rate_hz == 360
        assert found.events is not None
        n_annotations += len(found.events.symbols)
        n_beats += sum(symbol in mitdb.BEATS for symbol in found.events.symbols)
        n_flutter += found.events.symbols.count("!")
        if recording.id == "114":
            assert found.channels[1] == "MLII"
    assert (n_annotations, n_beats, n_flutter) == (112_647, 109_494, 472)
