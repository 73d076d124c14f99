"""Each kind of leak, planted in a clean data set, is found and named; the clean one has no finding."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from vicinal.errors import ExperimentError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import cinc2017, mitdb, store
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.folds import make_folds
from vicinal.inputs.leakage.audit import audit, audit_folds
from vicinal.inputs.pack import Pack
from vicinal.inputs.packing import write_pack
from vicinal.inputs.splits import Split, make_split
from vicinal.signal import Signal

N, POSITIONS = 80, 800
SHARES = {"test": 0.25, "validation": 0.1, "calibration": 0.15}
Recordings = list[Recording]


def read(recording: Recording) -> Signal:
    """A made-up recording: beats at its own rate under red noise; `options` say what was done to it."""
    told = recording.options
    rng = np.random.default_rng(told["seed"])
    n = POSITIONS + told.get("start", 0)
    at = np.cumsum(rng.normal(rng.uniform(60, 100), 3, size=40)).astype(int)
    line = np.zeros(4000)
    line[at[at < 4000]] = 1
    line = np.convolve(line, np.exp(-0.5 * (np.arange(-12, 13) / 2.5) ** 2), mode="same")
    line += 0.01 * np.cumsum(rng.normal(size=4000)) + 0.1 * rng.normal(size=4000)
    samples = told.get("gain", 1.0) * line[told.get("start", 0) : n] + told.get("offset", 0.0)
    if told.get("resampled"):
        samples = resample_poly(resample_poly(samples, 5, 6, padtype="line"), 6, 5, padtype="line")[
            :POSITIONS
        ]
    samples = samples.astype(np.float32)[None]
    return Signal(samples=samples, channels=("ECG",), units=("mV",), rate_hz=100.0, id=recording.id)


def clean(seed: int) -> tuple[Recordings, np.ndarray]:
    """80 people of one recording each, label and site by chance, and the part of each."""
    rng = np.random.default_rng(seed)
    recordings = [
        Recording(
            id=f"r{k:03d}", path=None, subject=f"s{k}", group=f"s{k}",
            labels=(str(rng.choice(["A", "N"])),), columns={"site": str(rng.choice(["x", "y", "z"]))},
            options={"seed": 1000 * seed + k},
        )
        for k in range(N)
    ]  # fmt: skip
    ids = np.array([one.id for one in recordings])
    labels = np.array([one.labels[0] for one in recordings])
    return recordings, make_split(ids, ids, labels, shares=SHARES, seed=seed).parts


def packed(folder: Path, recordings: Recordings, *, has_subjects: bool = True) -> Pack:
    catalogue = Catalogue(
        name="made", classes=("A", "N"), recordings=tuple(recordings), has_subjects=has_subjects
    )
    truth = np.array([[float("A" in one.labels)] for one in recordings])
    contract = Contract(channels=("ECG",), rate_hz=100, duration_s=POSITIONS / 100, units="mV")
    return write_pack(folder, catalogue=catalogue, read=read, contract=contract, classes=("A",), truth=truth)


def pair(parts: np.ndarray) -> tuple[int, int]:
    """A row that trains, and one that is tested."""
    return int(np.flatnonzero(parts == "train")[2]), int(np.flatnonzero(parts == "test")[3])


def copied(**options: object) -> Callable[[Recordings, np.ndarray], Recordings]:
    def plant(recordings: Recordings, parts: np.ndarray) -> Recordings:
        source, target = pair(parts)
        told = {**recordings[source].options, **options}
        return [replace(one, options=told) if k == target else one for k, one in enumerate(recordings)]

    return plant


def shared_subject(recordings: Recordings, parts: np.ndarray) -> Recordings:
    source, target = pair(parts)
    of = recordings[source].subject
    return [
        replace(one, subject=of, group=str(of)) if k == target else one for k, one in enumerate(recordings)
    ]


def telling_site(recordings: Recordings, parts: np.ndarray) -> Recordings:  # noqa: ARG001 - one signature
    return [
        replace(one, columns={"site": "x" if one.labels == ("A",) and k % 12 else "y"})
        for k, one in enumerate(recordings)
    ]


def sorted_by_label(recordings: Recordings, parts: np.ndarray) -> Recordings:  # noqa: ARG001 - one signature
    return sorted(recordings, key=lambda one: one.labels)


def renamed_by_label(recordings: Recordings, parts: np.ndarray) -> Recordings:  # noqa: ARG001 - one signature
    return [replace(one, id=f"{one.labels[0]}-{one.id}") for one in recordings]


PLANTED: dict[str, tuple[Callable[[Recordings, np.ndarray], Recordings], str, str]] = {
    "22 same patient in train and test": (shared_subject, "subjects_across_parts", "leak"),
    "29 same waveform under two ids": (copied(), "identical_across_parts", "leak"),
    "29 with another gain and offset": (copied(gain=2.5, offset=1.0), "near_duplicates_across_parts", "leak"),
    "29 upside down": (copied(gain=-1.0), "near_duplicates_across_parts", "leak"),
    "29 a little later": (copied(start=6), "near_duplicates_across_parts", "leak"),
    "29 once kept at another rate": (copied(resampled=True), "near_duplicates_across_parts", "leak"),
    "30 a window shifted by half": (copied(start=POSITIONS // 2), "shared_stretch_across_parts", "leak"),
    "a site that tells the label": (telling_site, "column_gives_label_away", "warning"),
    "rows sorted by label": (sorted_by_label, "label_ordered", "warning"),
    "names sorted by label": (renamed_by_label, "label_ordered", "warning"),
}


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_leak_is_found_and_named_and_nothing_else(case: str, seed: int, tmp_path: Path) -> None:
    plant, kind, severity = PLANTED[case]
    recordings, parts = clean(seed)
    before = {one.options["seed"]: part for one, part in zip(recordings, parts, strict=True)}
    rows = {one.id: k for k, one in enumerate(recordings)}
    planted = plant(recordings, parts)
    part_of = [parts[rows[one.id]] if one.id in rows else before[one.options["seed"]] for one in planted]
    pack = packed(tmp_path / "p", planted)
    found = audit(pack, Split(pack.ids, np.array(part_of)))
    assert [(one.kind, one.severity) for one in found] == [(kind, severity)]
    assert not any(str(one.subject) in found[0].message.split() for one in planted)


@pytest.mark.parametrize("seed", range(3))
def test_clean_data_have_no_finding(seed: int, tmp_path: Path) -> None:
    recordings, parts = clean(seed)
    pack = packed(tmp_path / "p", recordings)
    assert audit(pack, Split(pack.ids, parts)) == []
    folds = make_folds(pack.ids, pack.groups, pack.labels, n_folds=4, seed=seed)
    assert audit_folds(pack, folds) == []


def test_a_leak_of_a_published_split_is_the_protocols(tmp_path: Path) -> None:
    recordings, parts = clean(0)
    pack = packed(tmp_path / "p", shared_subject(recordings, parts))
    (found,) = audit(pack, Split(pack.ids, parts), official="ds1-ds2")
    assert (found.kind, found.severity) == ("protocol_leak", "leak")
    assert "published split 'ds1-ds2' itself puts 1 subjects, of 2 rows" in found.message


def test_windows_in_two_folds_are_found(tmp_path: Path) -> None:
    recordings, _ = clean(0)
    folds = make_folds(*(np.array([one.id for one in recordings]),) * 3, n_folds=4, seed=0)
    first, other = np.flatnonzero(folds.folds == 0)[0], np.flatnonzero(folds.folds == 2)[0]
    recordings[other] = replace(recordings[other], options={**recordings[first].options, "start": 300})
    assert [one.kind for one in audit_folds(packed(tmp_path / "p", recordings), folds)] == [
        "shared_stretch_across_parts"
    ]


def test_folds_of_other_rows_are_refused(tmp_path: Path) -> None:
    recordings, _ = clean(0)
    ids = np.array([one.id + "x" for one in recordings])
    with pytest.raises(ExperimentError, match="made for other rows"):
        audit_folds(packed(tmp_path / "p", recordings), make_folds(ids, ids, ids, n_folds=4, seed=0))


def _found(name: str) -> Path:
    try:
        return store.find(name, None)
    except store.PathError as error:
        pytest.skip(str(error))


def test_201_and_202_are_the_published_splits_own_leak(tmp_path: Path) -> None:
    """BAD_INPUTS 31: one man under two records, on both sides of DS1 and DS2; the strict split is free of it."""
    whole = mitdb.catalogue(_found("mitdb"))
    kept = [k for k, one in enumerate(whole.recordings) if one.id in ("114", "201", "202", "210")]
    catalogue = replace(
        whole,
        recordings=tuple(whole.recordings[k] for k in kept),
        officials={name: tuple(parts[k] for k in kept) for name, parts in whole.officials.items()},
    )
    steps = ({"step": "resample"}, {"step": "crop", "where": "centre"})
    contract = Contract(channels=("MLII",), rate_hz=100, duration_s=30, units="mV", steps=steps)
    pack = write_pack(
        tmp_path / "p", catalogue=catalogue, read=mitdb.read, contract=contract, classes=("N",),
        truth=np.array([[1.0], [0.0], [1.0], [0.0]]),
    )  # fmt: skip
    for name, expected in (("ds1-ds2", ["protocol_leak"]), ("ds1-ds2-strict", [])):
        split = Split(pack.ids, np.array(catalogue.officials[name]))
        leaks = [one for one in audit(pack, split, official=name) if one.severity == "leak"]
        assert [one.kind for one in leaks] == expected
        assert [one.ids for one in leaks] == [("201", "202")] * len(expected)


IDENTICAL = (("A00227", "A01176"), ("A02656", "A03123"))


@pytest.mark.slow
def test_both_known_pairs_of_cinc2017_are_found_also_when_they_were_changed(tmp_path: Path) -> None:
    whole = cinc2017.catalogue(_found("cinc2017"))
    twins = {one for pair in IDENTICAL for one in pair}
    others = {one for copies in cinc2017.COPIES for one in copies} - twins
    kept = [one for k, one in enumerate(whole.recordings) if k % 40 == 0 or one.id in twins]
    kept = [one for one in kept if one.id not in others]
    catalogue = replace(whole, recordings=tuple(replace(one, group=one.id) for one in kept))
    steps = ({"step": "resample"}, {"step": "crop", "where": "centre"})
    contract = Contract(
        channels=("ECG",), rate_hz=100, duration_s=30, min_duration_s=5, units="mV", steps=steps
    )
    later = {second for _, second in IDENTICAL}
    parts = np.array(["test" if one.id in later else "train" for one in catalogue.recordings])
    for reader, kind in (
        (cinc2017.read, "identical_across_parts"),
        (_changed, "near_duplicates_across_parts"),
    ):
        pack = write_pack(
            tmp_path / kind, catalogue=catalogue, read=reader, contract=contract, classes=("A",),
            truth=np.array([[float("A" in one.labels)] for one in catalogue.recordings]),
        )  # fmt: skip
        leaks = [one for one in audit(pack, Split(pack.ids, parts)) if one.severity == "leak"]
        assert [one.kind for one in leaks] == [kind]
        assert set(leaks[0].ids) == twins


def _changed(recording: Recording) -> Signal:
    """The second of each pair with another gain, offset and polarity, 50 ms later."""
    signal = cinc2017.read(recording)
    if recording.id not in {second for _, second in IDENTICAL}:
        return signal
    return replace(signal, samples=(0.2 - 0.7 * signal.samples[:, 15:]).astype(np.float32))
