import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.datasets.synthetic import CONDITIONS, NEED_RHYTHM, catalogue, read

CLEAN = 60.0


def mean_clip(condition: str, **options: Any) -> np.ndarray:
    made = catalogue(
        n_subjects=60,
        clips_per_subject=1,
        prevalence=float(condition != "normal"),
        conditions=(condition,),
        snr_db=CLEAN,
        **options,
    )
    return np.stack([read(one).samples[0] for one in made.recordings])


def test_the_default_cohort() -> None:
    made = catalogue()
    assert len(made.recordings) == 1200
    assert made.classes == ("healthy", "disease")
    assert made.has_subjects
    assert sum(one.labels == ("disease",) for one in made.recordings) == 600
    assert {one.group for one in made.recordings} == {one.subject for one in made.recordings}
    assert len({one.subject for one in made.recordings}) == 600
    conditions = [str(one.columns["condition"]) for one in made.recordings]
    assert {name: conditions.count(name) for name in set(conditions)} == {
        "normal": 600,
        "st_deviation": 200,
        "wide_qrs": 200,
        "inverted_t": 200,
    }


def test_a_clip_is_one_lead_in_millivolt_at_100_hz() -> None:
    signal = read(catalogue(n_subjects=1).recordings[0])
    assert signal.samples.shape == (1, 100)
    assert signal.samples.dtype == np.float32
    assert (signal.channels, signal.units, signal.rate_hz) == (("ECG",), ("mV",), 100.0)
    assert signal.subject == "s00000"
    assert signal.id == "s00000-0"


def test_a_clip_follows_from_its_recording_alone() -> None:
    made = catalogue(n_subjects=4, seed=7)
    forth = [read(one).samples for one in made.recordings]
    synthetic._heart.cache_clear()
    back = [read(pickle.loads(pickle.dumps(one))).samples for one in reversed(made.recordings)]
    for first, second in zip(forth, reversed(back), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(forth[0], forth[1])
    assert not np.array_equal(forth[0], read(catalogue(n_subjects=4, seed=8).recordings[0]).samples)


def test_a_larger_cohort_begins_with_the_smaller_one() -> None:
    small, large = catalogue(n_subjects=7), catalogue(n_subjects=30)
    assert small.recordings == large.recordings[:14]


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 360.0])
def test_aligned_clips_have_their_r_peak_at_400_ms(rate_hz: float) -> None:
    clips = mean_clip("normal", rate_hz=rate_hz)
    assert abs(np.median(clips.argmax(axis=1)) - 0.4 * rate_hz) <= 0.008 * rate_hz
    signal = read(catalogue(n_subjects=1, rate_hz=rate_hz).recordings[0])
    assert signal.events is not None
    assert round(0.4 * rate_hz) in signal.events.positions


def test_clips_cut_at_any_phase_have_it_anywhere() -> None:
    peaks = mean_clip("normal", aligned=False).argmax(axis=1)
    assert peaks.std() > 15
    assert peaks.min() < 10
    assert peaks.max() > 70


def test_conditions_look_like_themselves() -> None:
    """At sample 40 is R; the T wave peaks about 26 samples later, the ST segment lies about 11 later."""
    normal, inverted = mean_clip("normal"), mean_clip("inverted_t")
    level = slice(26, 30)  # between P and Q
    t_wave, st_segment = slice(62, 68), slice(49, 52)

    def height(clips: np.ndarray, where: slice) -> np.ndarray:
        return clips[:, where].mean(axis=1) - clips[:, level].mean(axis=1)

    assert 0.10 < np.median(height(normal, t_wave)) < 0.45
    assert np.median(height(inverted, t_wave)) < -0.05
    assert (
        np.abs(height(mean_clip("st_deviation"), st_segment)).mean()
        > 2 * np.abs(height(normal, st_segment)).mean()
    )
    r_waves = normal.max(axis=1)
    assert 0.5 < np.median(r_waves) < 1.5

    def width(clips: np.ndarray) -> np.ndarray:
        return (clips > 0.2 * clips.max(axis=1, keepdims=True)).sum(axis=1)

    assert np.median(width(mean_clip("wide_qrs"))) > 1.5 * np.median(width(normal))


def test_rhythms_show_over_ten_seconds() -> None:
    def strips(condition: str) -> list:
        made = catalogue(
            n_subjects=12,
            clips_per_subject=1,
            prevalence=float(condition != "normal"),
            conditions=(condition,),
            duration_s=10,
            aligned=False,
        )
        return [read(one) for one in made.recordings]

    def irregularity(condition: str) -> float:
        rr = [np.diff(signal.events.positions) for signal in strips(condition)]
        return float(np.median([one.std() / one.mean() for one in rr]))

    assert irregularity("normal") < 0.1
    assert irregularity("atrial_fibrillation") > 0.14
    for signal in strips("premature_beats"):
        assert {"N", "V"} == set(signal.events.symbols)


def test_the_noise_is_at_the_stated_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    made = catalogue(n_subjects=1, duration_s=20, snr_db=6)
    noisy = read(made.recordings[0]).samples[0]
    monkeypatch.setattr(synthetic, "noise", lambda n, **_: np.zeros(n))
    clean = read(made.recordings[0]).samples[0]
    found = 10 * np.log10(clean.var() / (noisy - clean).var())
    assert found == pytest.approx(float(made.recordings[0].columns["snr_db"]), abs=1.0)
    levels = [float(one.columns["snr_db"]) for one in catalogue(snr_db=6).recordings]
    assert np.mean(levels) == pytest.approx(6, abs=0.5)
    assert np.std(levels) == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize("prevalence", [0.0, 0.03, 0.31, 0.5, 1.0])
def test_prevalence_is_met_as_far_as_counting_allows(prevalence: float) -> None:
    made = catalogue(n_subjects=200, clips_per_subject=1, prevalence=prevalence)
    n_diseased = sum(one.labels == ("disease",) for one in made.recordings)
    assert abs(n_diseased - 200 * prevalence) < 1


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("rate_hz", [50.0, 500.0])
def test_every_condition_at_every_rate_is_finite(condition: str, rate_hz: float) -> None:
    made = catalogue(
        n_subjects=6,
        prevalence=float(condition != "normal"),
        conditions=[condition],
        duration_s=5,
        rate_hz=rate_hz,
        aligned=False,
    )
    for recording in made.recordings:
        samples = read(recording).samples
        assert samples.shape == (1, round(5 * rate_hz))
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() < 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_subjects": 0}, "n_subjects: expected a whole number from 1"),
        ({"n_subjects": True}, "n_subjects: expected a whole number"),
        ({"duration_s": float("nan")}, "duration_s: expected a number from 0.5"),
        ({"aligned": "yes"}, "aligned: expected true or false, got 'yes'"),
        ({"conditions": ("normal", "flutter")}, r"expected some of normal.*got \['flutter'\]"),
        ({"conditions": "normal"}, "expected a list of names"),
        ({"conditions": ("normal",)}, "expected a disease at prevalence 0.5, got none"),
        ({"conditions": NEED_RHYTHM}, "duration_s: expected at least 5 for atrial_fibrillation"),
        ({"snr_db": 99, "rate_hz": 3}, "rate_hz: expected.*; snr_db: expected"),
    ],
)
def test_options_out_of_range_are_refused_all_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        catalogue(**options)


def test_a_foreign_recording_is_refused() -> None:
    recording = replace(catalogue(n_subjects=1).recordings[0], options={})
    with pytest.raises(FormatError, match=r"expected the options aligned, clip.*got none"):
        read(recording)
