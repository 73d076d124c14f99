"""Augmentation: what may differ between two recordings of the same thing, made by pure functions with an rng.

A function takes rows (batch, channels, time) with their lengths and returns new rows of the same shape, zero
beyond each length, lengths unchanged. Amplitudes are in standard deviations of each row's own signal, so they
hold in any unit. Rows are arrays, or tensors on any device: what is drawn is drawn by NumPy either way, and laid
beside the rows. Must not know labels, packs or networks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from vicinal.errors import ExperimentError, did_you_mean
from vicinal.inputs.array_kind import beside, kind_of
from vicinal.inputs.augment_images import flip_across, flip_down, image_shift

__all__ = ["AUGMENTATIONS", "AugmentStep", "Augmentation", "Strength", "augment", "parse_augment"]

Rows: TypeAlias = Float32[Any, "batch channels time"]
Lengths: TypeAlias = Int64[np.ndarray, " batch"]


def gain(x: Rows, lengths: Lengths, rng: np.random.Generator, *, low: float, high: float) -> Rows:
    """Multiply each row by a factor drawn between `low` and `high`."""
    del lengths
    changed: Rows = x * beside(x, _uniform(rng, low, high, len(x)))
    return changed


def polarity(x: Rows, lengths: Lengths, rng: np.random.Generator) -> Rows:
    """Turn each row upside down with probability one half, as a swapped electrode pair does."""
    del lengths
    changed: Rows = x * beside(x, (1 - 2 * rng.integers(0, 2, (len(x), 1, 1))).astype(np.float32))
    return changed


def dropout(x: Rows, lengths: Lengths, rng: np.random.Generator, *, probability: float) -> Rows:
    """Silence each channel with `probability`; one channel of each row, drawn at random, always stays."""
    del lengths
    kept = rng.random(tuple(x.shape[:2])) >= probability
    kept[np.arange(len(x)), rng.integers(0, x.shape[1], len(x))] = True
    changed: Rows = x * beside(x, kept[:, :, None].astype(np.float32))
    return changed


def shift(x: Rows, lengths: Lengths, rng: np.random.Generator, *, rate_hz: float, limit_s: float) -> Rows:
    """Move each row by up to `limit_s` to either side; what moves in is zero, what moves out is lost."""
    limit = round(limit_s * rate_hz)
    moved = np.arange(x.shape[2]) - rng.integers(-limit, limit + 1, (len(x), 1))
    inside = (moved >= 0) & (moved < lengths[:, None]) & _valid(x, lengths)
    return _within(inside, _taken(x, np.clip(moved, 0, x.shape[2] - 1)))


def time_stretch(x: Rows, lengths: Lengths, rng: np.random.Generator, *, low: float, high: float) -> Rows:
    """Play each row faster (above 1) or slower about its middle, by linear interpolation."""
    centre = (lengths[:, None] - 1) / 2
    places = (np.arange(x.shape[2]) - centre) * rng.uniform(low, high, (len(x), 1)) + centre
    inside = (places >= 0) & (places <= lengths[:, None] - 1) & _valid(x, lengths)
    places = np.clip(places, 0, np.maximum(lengths[:, None] - 1, 0))
    before = np.floor(places).astype(np.int64)
    after = np.minimum(before + 1, np.maximum(lengths[:, None] - 1, 0))
    share = (places - before).astype(np.float32)[:, None, :]
    left, right = (_taken(x, at) for at in (before, after))
    return _within(inside, left + beside(x, share) * (right - left))


def cut_out(x: Rows, lengths: Lengths, rng: np.random.Generator, *, rate_hz: float, width_s: float) -> Rows:
    """Silence one stretch of up to `width_s` in each row, at a place drawn at random."""
    width = rng.uniform(0, width_s * rate_hz, (len(x), 1))
    start = rng.random((len(x), 1)) * lengths[:, None] - width / 2
    time = np.arange(x.shape[2])
    outside = (time < start) | (time >= start + width)
    changed: Rows = x * beside(x, outside[:, None, :].astype(np.float32))
    return changed


def window(x: Rows, lengths: Lengths, rng: np.random.Generator, *, rate_hz: float, width_s: float) -> Rows:
    """Keep one window of `width_s` of each row where it is, drawn at random, and silence what is around it.

    A row that is no longer than the window stays whole.
    """
    width = np.minimum(max(1, round(width_s * rate_hz)), lengths)[:, None]
    start = rng.integers(0, lengths[:, None] - width + 1)
    time = np.arange(x.shape[2])
    inside = (time >= start) & (time < start + width)
    changed: Rows = x * beside(x, inside[:, None, :].astype(np.float32))
    return changed


def noise(x: Rows, lengths: Lengths, rng: np.random.Generator, *, level: float) -> Rows:
    """Add white noise with a standard deviation drawn between 0 and `level`."""
    added = rng.standard_normal(tuple(x.shape), dtype=np.float32) * _uniform(rng, 0, level, len(x))
    return _added(x, lengths, added)


def muscle(x: Rows, lengths: Lengths, rng: np.random.Generator, *, rate_hz: float, level: float) -> Rows:
    """Add fast noise (differenced white noise) that swells about once a second, as tense muscles make it."""
    white = rng.standard_normal((*x.shape[:2], x.shape[2] + 1), dtype=np.float32)
    fast = np.diff(white, axis=2) / np.float32(np.sqrt(2))
    swell = 0.5 + 0.5 * _sine(x, rng, rate_hz=rate_hz, low_hz=0.3, high_hz=2.0)
    return _added(x, lengths, fast * swell * _uniform(rng, 0, level, len(x)))


def wander(
    x: Rows, lengths: Lengths, rng: np.random.Generator, *, rate_hz: float, level: float, high_hz: float
) -> Rows:
    """Add a slow sine, as breathing does, of 0.05 Hz to `high_hz` and an amplitude of up to `level`."""
    slow = _sine(x, rng, rate_hz=rate_hz, low_hz=0.05, high_hz=high_hz)
    return _added(x, lengths, slow * _uniform(rng, 0, level, len(x)))


def mains(
    x: Rows, lengths: Lengths, rng: np.random.Generator, *, rate_hz: float, level: float, frequency_hz: float
) -> Rows:
    """Add the hum of the mains, of an amplitude of up to `level`; a rate too low for it aliases it."""
    hum = _sine(x, rng, rate_hz=rate_hz, low_hz=frequency_hz, high_hz=frequency_hz)
    return _added(x, lengths, hum * _uniform(rng, 0, level, len(x)))


@dataclass(frozen=True)
class Strength:
    """One number of an augmentation: its default, and the range that it must lie in."""

    default: float
    low: float
    high: float


@dataclass(frozen=True)
class Augmentation:
    """A function and its numbers; a `timed` one is stated in seconds or hertz and needs the rate."""

    function: Callable[..., np.ndarray]
    strengths: Mapping[str, Strength]
    timed: bool = False
    axes: Literal["time", "height, width"] = "time"


AUGMENTATIONS: dict[str, Augmentation] = {
    "gain": Augmentation(gain, {"low": Strength(0.8, 0, 100), "high": Strength(1.25, 0, 100)}),
    "polarity": Augmentation(polarity, {}),
    "dropout": Augmentation(dropout, {"probability": Strength(0.1, 0, 1)}),
    "shift": Augmentation(shift, {"limit_s": Strength(0.1, 0, 3600)}, timed=True),
    "time_stretch": Augmentation(
        time_stretch, {"low": Strength(0.9, 0.1, 10), "high": Strength(1.1, 0.1, 10)}
    ),
    "cut_out": Augmentation(cut_out, {"width_s": Strength(1.0, 0, 3600)}, timed=True),
    "window": Augmentation(window, {"width_s": Strength(5.0, 0.001, 3600)}, timed=True),
    "noise": Augmentation(noise, {"level": Strength(0.1, 0, 100)}),
    "muscle": Augmentation(muscle, {"level": Strength(0.1, 0, 100)}, timed=True),
    "wander": Augmentation(
        wander, {"level": Strength(0.3, 0, 100), "high_hz": Strength(0.5, 0.05, 100)}, timed=True
    ),
    "mains": Augmentation(
        mains, {"level": Strength(0.1, 0, 100), "frequency_hz": Strength(50, 1, 1000)}, timed=True
    ),
    "flip_across": Augmentation(flip_across, {}, axes="height, width"),
    "flip_down": Augmentation(flip_down, {}, axes="height, width"),
    "image_shift": Augmentation(image_shift, {"limit": Strength(0.1, 0, 1)}, axes="height, width"),
}
"""Every augmentation by its `kind`. Each takes `share` too: the share of rows it touches, 1 by default."""


@dataclass(frozen=True)
class AugmentStep:
    """One checked step: which augmentation, on what share of the rows, how strong."""

    kind: str
    share: float
    strength: Mapping[str, float]


def parse_augment(steps: Sequence[Mapping[str, object] | AugmentStep]) -> tuple[AugmentStep, ...]:
    """Check augmentation steps such as `{"kind": "gain", "low": 0.8, "high": 1.25, "share": 0.5}`.

    Raises:  ExperimentError: lists every unknown kind, unknown or wrong number, with the nearest name.
    """
    problems: list[str] = []
    parsed = [
        step if isinstance(step, AugmentStep) else _parse_step(step, f"augment[{place}]", problems)
        for place, step in enumerate(steps)
    ]
    if problems:
        raise ExperimentError("; ".join(problems) + ".")
    return tuple(step for step in parsed if step is not None)


def augment(
    x: Float32[Any, "batch channels *positions"],
    lengths: Lengths,
    steps: Sequence[AugmentStep],
    rng: np.random.Generator,
    *,
    rate_hz: float | None = None,
) -> Float32[Any, "batch channels *positions"]:
    """Apply the steps in order; each touches its share of the rows, drawn at random.

    Args:    x: (batch, channels, time), zero beyond each length, or (batch, channels, height, width); not
             changed; an array, or a tensor, whose result is one on the same device.  lengths: (batch,).
             rate_hz: needed by the steps stated in seconds or hertz.
    Raises:  ExperimentError: when the rows do not have the axes of a step, or a step needs a rate and there
             is none.
    """
    for step in steps:
        entry = AUGMENTATIONS[step.kind]
        if x.ndim != 3 + (entry.axes != "time"):
            raise ExperimentError(
                f"augment: {step.kind!r} expected rows of shape (batch, channels, {entry.axes}), got "
                f"{tuple(x.shape)}."
            )
        if entry.timed and rate_hz is None:
            raise ExperimentError(
                f"augment: {step.kind!r} is stated in time and needs rate_hz. Give the rate."
            )
        timing = {"rate_hz": rate_hz} if entry.timed else {}
        changed = entry.function(x, lengths, rng, **timing, **step.strength)
        touched = rng.random((len(x),) + (1,) * (x.ndim - 1)) < step.share
        x = kind_of(x).where(beside(x, touched), changed, x)
    return x


def _parse_step(step: Mapping[str, object], where: str, problems: list[str]) -> AugmentStep | None:
    kind = step.get("kind")
    if not isinstance(kind, str) or kind not in AUGMENTATIONS:
        problems.append(f"{where}: no kind {kind!r}" + did_you_mean(str(kind), AUGMENTATIONS).rstrip("."))
        return None
    allowed = {"share": Strength(1.0, 0, 1), **AUGMENTATIONS[kind].strengths}
    found = len(problems)
    for name, value in step.items():
        if name == "kind":
            continue
        if name not in allowed:
            problems.append(f"{where}: {kind} has no {name!r}" + did_you_mean(name, allowed).rstrip("."))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(f"{where}: {kind} {name} must be a number, got {value!r}")
        elif not allowed[name].low <= value <= allowed[name].high:
            bounds = f"{allowed[name].low:g} to {allowed[name].high:g}"
            problems.append(f"{where}: {kind} {name} must lie in {bounds}, got {value:g}")
    if len(problems) > found:
        return None
    numbers = {name: float(step.get(name, entry.default)) for name, entry in allowed.items()}  # type: ignore[arg-type]  # checked above
    if "low" in numbers and numbers["low"] > numbers["high"]:
        problems.append(f"{where}: {kind} low {numbers['low']:g} is above high {numbers['high']:g}")
    return AugmentStep(kind=kind, share=numbers.pop("share"), strength=numbers)


def _uniform(rng: np.random.Generator, low: float, high: float, n: int) -> Float32[np.ndarray, "n 1 1"]:
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def _valid(x: Rows, lengths: Lengths) -> Bool[np.ndarray, "batch time"]:
    return np.arange(x.shape[2]) < lengths[:, None]


def _taken(x: Rows, places: Int64[np.ndarray, "batch time"]) -> Rows:
    """Return the values of all channels at these places of each row."""
    at = beside(x, np.ascontiguousarray(np.broadcast_to(places[:, None, :], x.shape)))
    taken: Rows = np.take_along_axis(x, at, axis=2) if isinstance(x, np.ndarray) else x.gather(2, at)
    return taken


def _within(inside: Bool[np.ndarray, "batch time"], x: Rows) -> Rows:
    """Return x with zeros where it is not inside."""
    return kind_of(x).where(beside(x, inside[:, None, :]), x, beside(x, np.float32(0)))


def _added(x: Rows, lengths: Lengths, added: Float32[np.ndarray, "batch #channels time"]) -> Rows:
    """Add what is stated in standard deviations of each row, within its length."""
    kind = kind_of(x)
    valid = beside(x, _valid(x, lengths)[:, None, :])
    count = beside(x, np.maximum(lengths[:, None, None] * x.shape[1], 1))
    exact = kind.asarray(x, dtype=kind.float64)
    mean = exact.sum(axis=(1, 2), keepdims=True) / count
    spread = kind.sqrt((kind.square(exact - mean) * valid).sum(axis=(1, 2), keepdims=True) / count)
    spread = kind.asarray(spread, dtype=kind.float32)
    changed: Rows = x + kind.where(valid, beside(x, added) * spread, beside(x, np.float32(0)))
    return changed


def _sine(
    x: Rows, rng: np.random.Generator, *, rate_hz: float, low_hz: float, high_hz: float
) -> Float32[np.ndarray, "batch 1 time"]:
    """Return one sine per row, of a frequency and phase drawn at random."""
    frequency = rng.uniform(low_hz, high_hz, (len(x), 1, 1))
    phase = rng.uniform(0, 2 * np.pi, (len(x), 1, 1))
    turns: Float64[np.ndarray, "batch 1 time"] = frequency / rate_hz * np.arange(x.shape[2])
    sine: Float32[np.ndarray, "batch 1 time"] = np.sin(2 * np.pi * turns + phase).astype(np.float32)
    return sine
