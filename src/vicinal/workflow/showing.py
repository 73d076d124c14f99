"""`vicinal show`: what one file holds, in numbers and drawn."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import numpy as np

from vicinal.errors import ExperimentError
from vicinal.evidence.report.strip_picture import image_png, strips_png
from vicinal.evidence.report.strips import lay_out, paper
from vicinal.files import write_bytes
from vicinal.inputs.augment import AugmentStep, augment, parse_augment
from vicinal.inputs.facts import SignalFacts, facts
from vicinal.inputs.formats.reading import read
from vicinal.signal import Signal

__all__ = ["Shown", "show"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22303c; background: #fbfaf7; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } p { margin: .3rem 0; }
.soft { color: #5d6b78; font-size: .85rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; color: #5d6b78; font-weight: 600; }
td, th { padding: .25rem 1.4rem .25rem 0; border-bottom: 1px solid #e6e3dc; white-space: nowrap; }
svg.paper { display: block; background: #fff; height: auto; }
.fine { stroke: #f6dcd6; stroke-width: 2; fill: none; } .bold { stroke: #ebb5a9; stroke-width: 4; fill: none; }
.trace { stroke: #22303c; stroke-width: 6; fill: none; stroke-linejoin: round; }
text { fill: #22303c; font: 60px system-ui, sans-serif; } text.name { font-weight: 700; font-size: 68px; }
text.mark { text-anchor: middle; }
img { image-rendering: pixelated; max-width: 100%; }
"""


@dataclass(frozen=True)
class Shown:
    """What was found, and which part of it was drawn: seconds from its start, None for images."""

    facts: SignalFacts
    window_s: tuple[float, float] | None


def show(
    path: Path,
    *,
    png: Path | None = None,
    html: Path | None = None,
    start_s: float = 0.0,
    duration_s: float = 10.0,
    channels: Sequence[str] | None = None,
    rate_hz: float | None = None,
    units: str | None = None,
    row: int | None = None,
    augmentations: Sequence[str] = (),
    seed: int = 0,
) -> Shown:
    """Read one file, say what it holds and draw it on ECG paper (25 mm/s, 10 mm/mV), or as an image.

    Args:    png, html: where to draw; the page is self-contained.  start_s, duration_s: the part to draw.
             channels, rate_hz, units, row: as in `vicinal.read`.  augmentations: such as "wander level=0.5",
             drawn below the part as it is, which they take as one row.  seed: of what they draw at random.
    Raises:  VicinalError: as `read` does; ExperimentError: when the part to draw lies outside the recording,
             or an augmentation is wrong or does not fit it.
    """
    steps = parse_augment([_step(text) for text in augmentations])
    if steps and png is None and html is None:
        raise ExperimentError("--augment: expected --png or --html too, where before and after are drawn.")
    signal = read(path, channels=channels, rate_hz=rate_hz, units=units, row=row)
    found = facts(signal)
    window = _window(signal, start_s, duration_s)
    drawn = None if signal.rate_hz is None else (window.start / signal.rate_hz, window.stop / signal.rate_hz)
    if steps:
        signal = _before_and_after(signal, window, steps, seed=seed)
    if png is not None:
        write_bytes(png, _png(signal, window))
    if html is not None:
        write_bytes(html, _page(signal, found, window).encode())
    return Shown(found, drawn)


def _step(text: str) -> dict[str, object]:
    """Read "wander level=0.5 high_hz=0.3"; what is not a number is left to `parse_augment` to refuse."""
    kind, *pairs = text.split() or [""]
    step: dict[str, object] = {"kind": kind}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            step[name] = float(value)
        except ValueError:
            step[name] = value
    return step


def _before_and_after(signal: Signal, window: slice, steps: Sequence[AugmentStep], *, seed: int) -> Signal:
    """Return the signal with its part drawn twice: each channel above its changed self, images side by side."""
    # Missing samples are 0 to augmentation, as they are in a prepared row.
    x = np.nan_to_num(signal.samples[..., window])
    lengths = np.array([x[0].size])
    y = augment(x[None], lengths, steps, np.random.default_rng(seed), rate_hz=signal.rate_hz)[0]
    if signal.rate_hz is None:
        return replace(signal, samples=np.concatenate([x, y], axis=-1))
    both = np.repeat(signal.samples, 2, axis=0)
    both[1::2, window] = y
    names = [name for channel in signal.channels for name in (channel, f"{channel}, augmented")]
    return replace(
        signal, samples=both, channels=tuple(names), units=tuple(u for u in signal.units for _ in range(2))
    )


def _window(signal: Signal, start_s: float, duration_s: float) -> slice:
    """Return the samples to draw along the last axis."""
    n = signal.samples.shape[-1]
    if signal.rate_hz is None:
        return slice(0, n)
    start = round(start_s * signal.rate_hz)
    stop = min(n, start + max(2, round(duration_s * signal.rate_hz)))
    if not 0 <= start < stop - 1:
        raise ExperimentError(
            f"--start-s {start_s:g}: expected a second in 0 to {signal.duration_s:g}, the length of {signal.id}."
        )
    return slice(start, stop)


def _marks(signal: Signal, window: slice) -> list[tuple[int, str]]:
    if signal.events is None:
        return []
    pairs = zip(signal.events.positions.tolist(), signal.events.symbols, strict=True)
    return [(at - window.start, symbol) for at, symbol in pairs if window.start <= at < window.stop]


def _png(signal: Signal, window: slice) -> bytes:
    if signal.rate_hz is None:
        return image_png(
            signal.samples, low=float(np.nanmin(signal.samples)), high=float(np.nanmax(signal.samples))
        )
    layout = lay_out(
        signal.samples[:, window].astype(np.float64),
        rate_hz=signal.rate_hz,
        units=signal.units,
        names=signal.channels,
        marks=_marks(signal, window),
    )
    return strips_png(layout)


def _page(signal: Signal, found: SignalFacts, window: slice) -> str:
    name = escape(Path(signal.source).name or signal.id)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in found.lines()
    )
    head = "".join(f"<th>{escape(column)}</th>" for column in found.COLUMNS)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{name}</h1><p>{escape(found.sentence())}</p>"
        f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>{_drawing(signal, window)}</body></html>\n'
    )


def _drawing(signal: Signal, window: slice) -> str:
    if signal.rate_hz is None:
        data = base64.b64encode(_png(signal, window)).decode()
        return f'<img alt="the image" src="data:image/png;base64,{data}">'
    drawn = paper(
        signal.samples[:, window].astype(np.float64),
        rate_hz=signal.rate_hz,
        unit=signal.units,
        label=f"{signal.id}: {', '.join(signal.channels)}",
        names=signal.channels,
        marks=_marks(signal, window),
    )
    start, stop = window.start / signal.rate_hz, window.stop / signal.rate_hz
    svg = drawn.svg.replace("<svg ", f'<svg style="width:{drawn.width_mm:g}mm" ', 1)
    return (
        f'<div class="scroll">{svg}</div><p class="soft">{start:g} to {stop:g} s, {escape(drawn.scale)}</p>'
    )
