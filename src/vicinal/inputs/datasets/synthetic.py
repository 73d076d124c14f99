"""A synthetic ECG cohort: subjects with their own heart, rate and noise, some of them ill. Needs no files.

The physics is ecgsyn.py's; here lie the population (what varies between people), the conditions (what an
illness does to a beat) and the catalogue. Everything about a clip follows from its `Recording`, whatever
process reads it. Must not know contracts, networks or splits.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from vicinal.errors import ExperimentError, FormatError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.datasets.ecgsyn import (
    MIN_RR_S,
    NOISES,
    Waves,
    beat_phase,
    fibrillation_waves,
    fibrillatory_rr,
    noise,
    sinus_rr,
    voltage,
)
from vicinal.signal import Events, Signal

__all__ = ["CONDITIONS", "NEED_RHYTHM", "R_PEAK_S", "catalogue", "read"]

R_PEAK_S = 0.4
"""Where the R peak of an aligned clip lies: sample 40 at 100 Hz."""

_EVENTS = ("P", "Q", "R", "R'", "S", "ST", "T")
_P, _Q, _R, _R2, _S, _ST, _T = range(7)
_WARM_UP_S = 4.0
_BEATS_BEFORE = 20  # at the shortest interval, 0.3 s, still longer than the warm-up
_DEFAULT_CONDITIONS = ("normal", "st_deviation", "wide_qrs", "inverted_t")


@dataclass(frozen=True)
class _ClipOptions:
    """Which clip of which made-up subject a recording is: what `Recording.options` holds, as plain values."""

    seed: int
    number: int
    clip: int
    condition: str
    aligned: bool
    duration_s: float
    rate_hz: float
    snr_db: float


@dataclass(frozen=True)
class _Heart:
    """One subject: the waves of a beat at 60 beats a minute, the rhythm, and the noise."""

    angles: Float64[np.ndarray, " events"]
    heights: Float64[np.ndarray, " events"]
    widths: Float64[np.ndarray, " events"]
    mean_rr_s: float
    deviation_s: float
    breathing_hz: float
    noise_shares: Mapping[str, float]
    rhythm: str = "sinus"
    beat_symbol: str = "N"


def _draw_heart(rng: np.random.Generator) -> _Heart:
    """Draw a healthy subject around the paper's table (P, Q, R, S, T at -60, -15, 0, 15, 90 degrees)."""
    angles = np.array([-1.05, -0.20, 0.0, 0.22, 0.21, 0.75, 1.55]) + _spread(
        rng, [0.10, 0.015, 0.0, 0.02, 0.015, 0.04, 0.08]
    )
    heights = np.array([0.12, -0.09, 1.0, 0.0, -0.20, 0.02, 0.27]) + _spread(
        rng, [0.03, 0.04, 0.0, 0.0, 0.08, 0.035, 0.06]
    )
    heights[[_P, _T]] = np.maximum(heights[[_P, _T]], [0.03, 0.06])
    heights[[_Q, _S]] = np.minimum(heights[[_Q, _S]], 0.0)
    heights[_ST] += 0.2 * heights[_T]  # the slow rise of a healthy T wave
    widths = np.array([0.20, 0.070, 0.080, 0.085, 0.075, 0.28, 0.34]) * np.exp(
        _spread(rng, [0.12, 0.08, 0.0, 0.0, 0.10, 0.05, 0.10])
    )
    widths[_Q : _S + 1] *= math.exp(rng.normal(0, 0.12))
    return _Heart(
        angles=angles,
        heights=heights * math.exp(rng.normal(0, 0.22)),
        widths=widths,
        mean_rr_s=60 / float(np.clip(rng.normal(70, 11), 48, 105)),
        deviation_s=float(rng.uniform(0.02, 0.06)),
        breathing_hz=float(rng.uniform(0.2, 0.3)),
        noise_shares=dict(zip(NOISES, rng.dirichlet([2.0, 0.7, 1.5, 1.5]).tolist(), strict=True)),
    )


def _spread(rng: np.random.Generator, deviations: Sequence[float]) -> Float64[np.ndarray, " events"]:
    return np.asarray(rng.normal(size=len(deviations)) * np.asarray(deviations))


def _normal(heart: _Heart, rng: np.random.Generator) -> _Heart:  # noqa: ARG001 - one signature for all
    return heart


def _st_deviation(heart: _Heart, rng: np.random.Generator) -> _Heart:
    """The ST segment is raised (T taller) or pressed down (T flatter) by 0.12 to 0.4 of the R wave."""
    heights = heart.heights.copy()
    depth = rng.uniform(0.12, 0.40) * heights[_R]
    raised = rng.random() < 0.5
    heights[_ST] += depth if raised else -depth
    heights[_T] += (0.3 if raised else -0.5) * depth
    return replace(heart, heights=heights)


def _wide_qrs(heart: _Heart, rng: np.random.Generator) -> _Heart:
    """Left bundle branch block in a lateral lead: no Q or S, a broad notched R, ST and T against the QRS."""
    degree = rng.uniform(0.12, 0.9)
    angles, heights, widths = heart.angles.copy(), heart.heights.copy(), heart.widths.copy()
    heights[[_Q, _S]] *= 1 - degree
    angles[_R2] = 0.22 + 0.22 * degree
    heights[_R2] = degree * rng.uniform(0.6, 0.95) * heights[_R]
    heights[_R] *= 1 - 0.15 * degree
    widths[[_R, _R2]] *= 1 + 0.9 * degree
    heights[_ST] -= 0.12 * degree * heights[_R]
    heights[_T] *= 1 - 1.6 * degree
    angles[_T] += 0.1 * degree
    return replace(heart, angles=angles, heights=heights, widths=widths, beat_symbol="L")


def _inverted_t(heart: _Heart, rng: np.random.Generator) -> _Heart:
    """The T wave points down, in some barely."""
    heights = heart.heights.copy()
    heights[_ST] -= 0.3 * heights[_T]
    heights[_T] *= -rng.uniform(0.15, 1.0)
    return replace(heart, heights=heights)


def _atrial_fibrillation(heart: _Heart, rng: np.random.Generator) -> _Heart:
    """No P wave, f-waves instead, and an irregular, mostly faster ventricle."""
    heights = heart.heights.copy()
    heights[_P] = 0.0
    return replace(heart, heights=heights, mean_rr_s=60 / rng.uniform(70, 130), rhythm="fibrillation")


def _premature_beats(heart: _Heart, rng: np.random.Generator) -> _Heart:  # noqa: ARG001 - one signature
    """Every few beats one comes early from the ventricle: wide, without P, followed by a pause."""
    return replace(heart, rhythm="premature")


CONDITIONS: Mapping[str, Callable[[_Heart, np.random.Generator], _Heart]] = {
    "normal": _normal,
    "st_deviation": _st_deviation,
    "wide_qrs": _wide_qrs,
    "inverted_t": _inverted_t,
    "atrial_fibrillation": _atrial_fibrillation,
    "premature_beats": _premature_beats,
}
"""What happens to a heart, by name. All but `normal` are labelled `disease`."""

NEED_RHYTHM = ("atrial_fibrillation", "premature_beats")
"""Conditions that show only over several beats: clips of at least 5 s."""


def catalogue(
    root: Path | None = None,
    *,
    n_subjects: int = 600,
    clips_per_subject: int = 2,
    aligned: bool = True,
    duration_s: float = 1.0,
    rate_hz: float = 100.0,
    seed: int = 0,
    prevalence: float = 0.5,
    snr_db: float = 10.0,
    conditions: Sequence[str] = _DEFAULT_CONDITIONS,
) -> Catalogue:
    """List the cohort. The first subjects of a larger cohort are the subjects of a smaller one.

    Args:    root: not used.  n_subjects, clips_per_subject: at least 1; clips of one subject share its id.
             aligned: the R peak lies at 0.4 s; otherwise the window is cut at any phase of the beat.
             duration_s: 0.5 to 3600.  rate_hz: 50 to 2000.  seed: of the whole cohort.
             prevalence: share of subjects with a disease, 0 to 1, met exactly as far as counting allows.
             snr_db: mean over subjects of the signal-to-noise ratio, -20 to 60; subjects vary by 3 dB (SD).
             conditions: "normal" and the diseases, which take turns; see `CONDITIONS`.
    Raises:  ExperimentError: for options out of range, all of them at once.
    """
    given = {key: value for key, value in locals().items() if key != "root"}
    _check(given)
    diseases = [name for name in conditions if name != "normal"]
    recordings, n_diseased = [], 0
    for subject in range(n_subjects):
        diseased = math.floor((subject + 1) * prevalence + 1e-9) > n_diseased
        condition = diseases[n_diseased % len(diseases)] if diseased else "normal"
        n_diseased += diseased
        name, snr = f"s{subject:05d}", snr_db + 3.0 * np.random.default_rng([seed, subject, 0]).normal()
        options = _ClipOptions(
            clip=0,
            rate_hz=float(rate_hz),
            seed=seed,
            number=subject,
            condition=condition,
            aligned=aligned,
            duration_s=float(duration_s),
            snr_db=round(float(snr), 2),
        )
        recordings += [
            Recording(
                id=f"{name}-{clip}",
                path=None,
                subject=name,
                group=name,
                labels=("disease" if diseased else "healthy",),
                columns={"condition": condition, "snr_db": options.snr_db},
                seed=seed,
                options=asdict(replace(options, clip=clip)),
            )
            for clip in range(clips_per_subject)
        ]
    note = f"synthetic: no recording is of a person; mean signal-to-noise ratio {snr_db:g} dB"
    return Catalogue(
        name="synthetic",
        classes=("healthy", "disease"),
        recordings=tuple(recordings),
        has_subjects=True,
        label_columns=("condition",),
        notes=(note,),
        skipped=(),
    )


_RANGES: Mapping[str, tuple[type, float, float]] = {
    "n_subjects": (int, 1, 1_000_000),
    "clips_per_subject": (int, 1, 10_000),
    "duration_s": (float, 0.5, 3600),
    "rate_hz": (float, 50, 2000),
    "seed": (int, 0, 2**63 - 1),
    "prevalence": (float, 0, 1),
    "snr_db": (float, -20, 60),
}


def _check(given: Mapping[str, Any]) -> None:
    problems = []
    for name, (kind, low, high) in _RANGES.items():
        value = given[name]
        fits = isinstance(value, int) if kind is int else isinstance(value, int | float)
        if not fits or isinstance(value, bool) or not low <= value <= high:
            noun = "a whole number" if kind is int else "a number"
            problems.append(f"{name}: expected {noun} from {low:g} to {high:g}, got {value!r}")
    if not isinstance(given["aligned"], bool):
        problems.append(f"aligned: expected true or false, got {given['aligned']!r}")
    problems += _check_conditions(given) if not problems else []
    if problems:
        raise ExperimentError(
            "synthetic cohort: " + "; ".join(problems) + ". Correct these keys of [inputs.options]."
        )


def _check_conditions(given: Mapping[str, Any]) -> list[str]:
    conditions = given["conditions"]
    if isinstance(conditions, str) or not isinstance(conditions, Sequence):
        return [f"conditions: expected a list of names, got {conditions!r}"]
    problems = []
    unknown = [name for name in conditions if name not in CONDITIONS]
    if unknown:
        problems.append(f"conditions: expected some of {', '.join(CONDITIONS)}, got {unknown}")
    if given["prevalence"] > 0 and not set(conditions) - {"normal"}:
        problems.append(f"conditions: expected a disease at prevalence {given['prevalence']:g}, got none")
    brief = [name for name in NEED_RHYTHM if name in conditions]
    if brief and given["duration_s"] < 5:
        problems.append(
            f"duration_s: expected at least 5 for {', '.join(brief)}, got {given['duration_s']:g}"
        )
    return problems


def read(recording: Recording) -> Signal:
    """Make the clip that `recording` describes: one lead "ECG" in mV, with its beats as events.

    Beat symbols are MIT-BIH's: N, L (left bundle branch block), V (ventricular premature).

    Raises:  FormatError: when the recording is not one of this module's catalogues.
    """
    names = {field.name for field in fields(_ClipOptions)}
    if set(recording.options) != names:
        raise FormatError(
            f"recording {recording.id!r}: expected the options {', '.join(sorted(names))}, got "
            f"{', '.join(sorted(recording.options)) or 'none'}. Take recordings from synthetic.catalogue()."
        )
    options = _ClipOptions(**recording.options)
    samples, r_samples, symbols = _clip(options)
    return Signal(
        samples=samples[None].astype(np.float32),
        channels=("ECG",),
        units=("mV",),
        rate_hz=options.rate_hz,
        id=recording.id,
        subject=recording.subject,
        events=Events(r_samples, symbols),
        source=f"synthetic ECG, {options.condition}",
    )


@functools.lru_cache(maxsize=64)
def _heart(seed: int, number: int, condition: str) -> _Heart:
    rng = np.random.default_rng([seed, number, 1])
    return CONDITIONS[condition](_draw_heart(rng), rng)


def _clip(options: _ClipOptions) -> tuple[Float64[np.ndarray, " n"], np.ndarray, tuple[str, ...]]:
    """Return the samples (mV), the R peaks within them and their symbols.

    The signal-to-noise ratio holds for the strip the clip is cut from: 4 s of warm-up and the clip.
    """
    rate_hz = options.rate_hz
    heart = _heart(options.seed, options.number, options.condition)
    rng = np.random.default_rng([options.seed, options.number, 2, options.clip])
    n_beats = _BEATS_BEFORE + math.ceil((options.duration_s + 2.0) / MIN_RR_S) + 2
    rr, kinds = _rhythm(heart, n_beats, rng)
    r_peaks = np.concatenate([[0.0], np.cumsum(rr)])
    r_peaks -= r_peaks[_BEATS_BEFORE]
    aligned_start = -round(R_PEAK_S * rate_hz) / rate_hz
    start = aligned_start if options.aligned else rng.uniform(0, rr[_BEATS_BEFORE])
    warm_up, n = round(_WARM_UP_S * rate_hz), round(options.duration_s * rate_hz)
    t = start + np.arange(-warm_up, n) / rate_hz
    strip = _strip(heart, t, r_peaks, kinds, rate_hz=rate_hz, rng=rng)
    scale = strip.std() * 10 ** (-options.snr_db / 20)
    strip += scale * noise(t.size, rate_hz=rate_hz, shares=heart.noise_shares, rng=rng)
    positions = np.rint((r_peaks - start) * rate_hz).astype(np.int64)
    inside = np.flatnonzero((positions >= 0) & (positions < n))
    symbols = tuple("V" if kinds[k] else heart.beat_symbol for k in inside)
    return strip[warm_up:], positions[inside], symbols


def _rhythm(heart: _Heart, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return n RR intervals and the kind (0 own, 1 premature) of the n + 1 beats that bound them."""
    kinds = np.zeros(n + 1, dtype=np.int64)
    if heart.rhythm == "fibrillation":
        return fibrillatory_rr(n, mean_s=heart.mean_rr_s, rng=rng), kinds
    rr = sinus_rr(
        n,
        mean_s=heart.mean_rr_s,
        deviation_s=heart.deviation_s,
        lf_hf=0.5,
        breathing_hz=heart.breathing_hz,
        rng=rng,
    )
    if heart.rhythm == "premature":
        every = int(rng.integers(3, 6))
        early = np.arange((_BEATS_BEFORE + 1) % every or every, n, every)
        advance = rng.uniform(0.28, 0.42) * rr[early - 1]
        rr[early - 1] -= advance
        rr[early] += advance  # the compensatory pause: the sinus node keeps its own time
        kinds[early] = 1
    return rr, kinds


def _strip(
    heart: _Heart,
    t: Float64[np.ndarray, " n"],
    r_peaks: Float64[np.ndarray, " beats"],
    kinds: np.ndarray,
    *,
    rate_hz: float,
    rng: np.random.Generator,
) -> Float64[np.ndarray, " n"]:
    premature = bool(kinds.any())
    waves = _with_premature(heart) if premature else _at_rate(heart)
    breathing = 0.10 * np.sin(2 * np.pi * (heart.breathing_hz * t + rng.random()))
    phase = beat_phase(t - r_peaks[0], r_peaks - r_peaks[0], mean_rr_s=heart.mean_rr_s)
    strip = voltage(phase, waves, rate_hz=rate_hz, kinds=kinds if premature else None, z0=breathing)
    if heart.rhythm == "fibrillation":
        frequency, amplitude = rng.uniform(5.5, 8.5), rng.uniform(0.03, 0.06)
        strip += fibrillation_waves(t, frequency_hz=frequency, amplitude_mv=amplitude, rng=rng)
    return strip


def _at_rate(heart: _Heart) -> Waves:
    # As in ECGSYN: at higher rates the waves take more of the turn, the outer angles less than the widths.
    quick = math.sqrt(1 / heart.mean_rr_s)
    stretch = np.full(len(_EVENTS), quick)
    stretch[[_P, _ST, _T]] = math.sqrt(quick)
    return Waves(heart.angles * stretch, heart.heights, heart.widths * quick)


def _with_premature(heart: _Heart) -> Waves:
    """Two kinds of beat: the heart's own, and one from the ventricle: no P, broad, T against the QRS."""
    own = _at_rate(heart)
    later = np.array([0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0]) / math.sqrt(heart.mean_rr_s)
    heights = own.heights[_R] * np.array([0.0, 0.0, 1.1, 0.7, -0.5, -0.15, -0.55])
    widths = own.widths * np.array([1.0, 1.0, 2.6, 2.2, 2.4, 1.0, 1.1])
    return Waves(
        np.stack([own.angles, own.angles + later]),
        np.stack([own.heights, heights]),
        np.stack([own.widths, widths]),
    )
