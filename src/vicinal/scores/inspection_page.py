"""What each unit of a network sees, as one self-contained HTML page: a signal or image, and every stage with a slider.

Of a trained network also what excites its units most. Draws what an Inspection and Detectors hold; fetches nothing,
and names no files. Must not know weights.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from vicinal.files import write_bytes
from vicinal.representations.inspection import Inspection, StageInspection, seen_by, windows_of
from vicinal.representations.network import Network, sketch
from vicinal.scores.detectors import Detectors, DetectorStage
from vicinal.scores.detectors_picture import is_map, picture_of, unit_of
from vicinal.scores.inspection_script import SCRIPT, STYLE
from vicinal.scores.responses import Response

__all__ = ["Learnt", "draw_page", "write_page"]

_WIDTH, _COLUMNS = 1000, 1000
_ORDER = {
    "class": "First stand the units that tell a class from the others best: beside a unit stands by how many standard "
    "deviations the peaks of that class lie above or below those of the others.",
    "value": "First stand the units with the largest values; beside a unit stands, where rows of both kinds are there, "
    "by how many standard deviations the peaks of a class lie above or below those of the others.",
}


@dataclass(frozen=True)
class Learnt:
    """What a trained network adds to the page.

    Args:    detectors: what excites its units.  responses: what they give along the signal that is drawn, as
             `responses` returns it.
    """

    detectors: Detectors
    responses: Sequence[Sequence[Response]]


def write_page(
    path: Path,
    found: Inspection,
    samples: Float[np.ndarray, "channels *positions"],
    *,
    about: str,
    learnt: Learnt | None = None,
) -> None:
    """Write the page, whole or not at all. Arguments as for `draw_page`.

    Raises:  PathError: when it cannot be written.
    """
    write_bytes(Path(path), draw_page(found, samples, about=about, learnt=learnt).encode())


def draw_page(
    found: Inspection,
    samples: Float[np.ndarray, "channels *positions"],
    *,
    about: str,
    learnt: Learnt | None = None,
) -> str:
    """Return the page as HTML.

    Args:    samples: what the windows are drawn over, at most as long as the network's input; an image in full.
             about: the signal in words, without the name of a file or a person.
             learnt: of the same network, trained.
    """
    data = _data(found, samples, learnt)
    title = "What each unit sees" if learnt is None else "What the network has learnt to detect"
    told = [None] * len(found.stages) if learnt is None else learnt.detectors.stages
    rows = "".join(
        _stage(stage, len(one["places"]), units)
        for stage, one, units in zip(found.stages, data["stages"], told, strict=True)
    )
    shape = " x ".join(map(str, found.input_shape))
    rate = f" at {found.rate_hz:g} Hz" if found.rate_hz else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f'<h1>{title}</h1><p class="soft"><code>{escape(found.text.replace(chr(10), " | "))}</code></p>'
        f'<p class="soft">for {data["kind"]}s of {shape}{rate}</p>{_totals(found)}'
        f'<div id="view"><p id="said"></p>{_view(samples, found)}</div>'
        f'<p class="soft">Drawn over {escape(about)}. Move a slider: '
        f"{'framed' if data['kind'] == 'image' else 'shaded'} is what that unit sees, in all channels."
        f"{_source(learnt)}</p>"
        f'{rows}</main><script type="application/json" id="data">{_embedded(data)}</script>'
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _data(
    found: Inspection, samples: Float[np.ndarray, "channels *positions"], learnt: Learnt | None
) -> dict[str, Any]:
    """Return what the script reads."""
    n_outputs = found.stages[-1].shape[0]
    seen = windows_of(found.text, found.input_shape, n_outputs=n_outputs)
    network = sketch(found.text, input_shape=found.input_shape, n_outputs=n_outputs)
    with_positions = [k for k, stage in enumerate(found.stages) if len(stage.shape) > 1]
    stages = [
        _sight(stage, places, windows) for stage, (places, windows) in zip(found.stages, seen, strict=True)
    ]
    if learnt is not None:
        for index, one in enumerate(stages):
            one |= _units(network, index, learnt, samples.shape[1:])
    return {
        "sizes": found.input_shape[1:],
        "width": _WIDTH if len(found.input_shape) == 2 else found.input_shape[-1],
        "kind": "signal" if len(found.input_shape) == 2 else "image",
        "rate_hz": found.rate_hz,
        "first": with_positions[-1] if with_positions else 0,
        "stages": stages,
    }


def _sight(
    stage: StageInspection, places: Int[np.ndarray, "m axes"], windows: Int[np.ndarray, "m axes 2"]
) -> dict[str, Any]:
    return {
        "text": stage.text,
        "word": "position" if len(stage.shape) > 1 else "feature",
        "n": " x ".join(map(str, stage.shape[1:] or stage.shape)),
        "places": places.tolist(),
        "windows": windows.tolist(),
    }


def _units(network: Network, index: int, learnt: Learnt, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Return the units of one stage, with what each sees where it is strongest on the signal that is drawn."""
    units = []
    stage, given = learnt.detectors.stages[index], learnt.responses[index]
    for unit, response in zip(stage.units, given, strict=True):
        told = unit_of(unit, response)
        if "peak" in told:
            window = seen_by(network, index, tuple(told["peak"]))
            told["window"] = [(min(a, n), min(b, n)) for (a, b), n in zip(window, sizes, strict=True)]
        units.append(told)
    n = max((response.shape[-1] for response in given if response.ndim), default=0)
    return {"units": units, "unit": 0, "span": _span(network, index, n, sizes[-1])}


def _span(network: Network, index: int, n: int, length: int) -> tuple[float, float]:
    """Return the samples over which the first and the last of n positions lie: the middles of what they see.

    Borders cut windows short, so that the middle is that of a unit far from them.
    """
    layer = list(network.layers())[index]
    whole = layer.facts.shape[-1]
    if len(layer.facts.shape) == 2 and n > 1 and whole > 2:
        at = whole // 2
        (before,), (after,) = (seen_by(network, index, (place,)) for place in (at - 1, at))
        if before[0] > 0 and after[1] < network.input_shape[1]:
            step = after[0] - before[0]
            first = sum(after) / 2 - step * at
            return first, first + step * (n - 1)
    return length * 0.5 / max(n, 1), length * (1 - 0.5 / max(n, 1))


def _source(learnt: Learnt | None) -> str:
    if learnt is None:
        return ""
    rows = learnt.detectors
    rule = {
        "train": "The network was fitted to these rows: they show what it learnt, not that it holds elsewhere.",
        "validation": "No weight was fitted to these rows, though they chose among epochs; no test row is looked at.",
    }
    return (
        f" Choose a unit: below it are the places that excite it most, each from another recording, out of "
        f"{escape(rows.source)}. {rule.get(rows.role, '')} Excited means a large value, sign and all; the snippets of "
        f"one unit have one scale. {_ORDER[rows.by]}"
    )


def _embedded(data: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _totals(found: Inspection) -> str:
    field = _field(found.receptive_field_samples)
    if found.receptive_field_ms is not None:
        field = f"{found.receptive_field_ms:,.0f} ms"
    beats = found.receptive_field_heartbeats
    late = "" if found.delay_ms is None else f", {found.delay_ms:,.0f} ms late"
    cells = [
        (f"{found.parameters:,}", f"parameters; as dense layers {found.dense_equivalent_parameters:,}"),
        (
            f"{found.multiply_adds:,}",
            "multiply-adds " + ("a signal" if len(found.input_shape) == 2 else "an image"),
        ),
        (
            field,
            "seen before the head" + ("" if beats is None else f", {beats:.2g} heartbeats at 60 a minute"),
        ),
        ("yes" if found.streamable else "no", f"streamable{late}" + _because(found.why_not_streamable)),
    ]
    return (
        '<div class="totals">'
        + "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for value, name in cells)
        + "</div>"
    )


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _stage(stage: StageInspection, n_choices: int, told: DetectorStage | None) -> str:
    shape = " x ".join(map(str, stage.shape))
    facts = (
        f"{shape} · {stage.parameters:,} parameters · {stage.multiply_adds:,} multiply-adds · "
        f"sees {_field(stage.receptive_field_samples)}{_silent(told)}"
    )
    band = '<div class="band"><i></i></div>' if isinstance(stage.receptive_field_samples, int) else ""
    return (
        f'<div class="stage"><div class="head"><code>{escape(stage.text)}</code><span class="soft">{facts}</span></div>'
        f'{band}<input type="range" min="0" max="{n_choices - 1}" '
        f'value="{n_choices // 2}" aria-label="unit of {escape(stage.text)}">{_choices(told)}</div>'
    )


def _field(samples: int | tuple[int, ...]) -> str:
    return f"{samples:,} samples" if isinstance(samples, int) else f"{' x '.join(map(str, samples))} pixels"


def _silent(told: DetectorStage | None) -> str:
    return (
        f" · {told.n_silent:,} of {told.n_units:,} units silent" if told is not None and told.n_silent else ""
    )


def _choices(told: DetectorStage | None) -> str:
    """Draw the units of a trained stage, the most excited first, as buttons."""
    if told is None:
        return ""
    buttons = "".join(
        f'<button type="button" data-unit="{k}" aria-pressed="false">unit <b>{unit.name}</b> '
        f"<span>{escape(unit.told) or f'{unit.snippets[0].value:.3g}'}</span></button>"
        for k, unit in enumerate(told.units)
    )
    return f'<div class="units">{buttons}</div><div class="panel"></div>'


def _view(samples: Float[np.ndarray, "channels *positions"], found: Inspection) -> str:
    """Draw the signal or image with an empty window over it."""
    if not is_map(found.input_shape):
        return _signal(samples, found.input_shape[1]) + _ends(found)
    width = _WIDTH if samples.ndim == 2 else found.input_shape[2]
    height = 160 if samples.ndim == 2 else found.input_shape[1]
    image = picture_of(samples, float(samples.min()), float(samples.max()))
    wide = width * samples.shape[-1] / found.input_shape[-1]
    stretched = ' preserveAspectRatio="none" height="160"' if samples.ndim == 2 else ""
    return (
        f'<svg class="picture" viewBox="0 0 {width} {height}"{stretched} role="img" aria-label="what enters">'
        f'<image href="{image}" width="{wide:g}" height="{height}" preserveAspectRatio="none"/>'
        f'<rect id="window" x="0" y="0" width="0" height="{height}"/></svg>'
        + (_ends(found) if samples.ndim == 2 else "")
    )


def _signal(samples: Float[np.ndarray, "channels length"], length: int) -> str:
    """Draw channels one above the other, the extremes of each column of pixels."""
    rows = samples
    strip = max(120 / len(rows), 16)
    height = strip * len(rows)
    lines = "".join(_line(row, length, top=k * strip + 2, height=strip - 4) for k, row in enumerate(rows))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" preserveAspectRatio="none" height="{height:g}" role="img" '
        f'aria-label="the signal"><rect id="window" x="0" y="0" width="0" height="{height:g}"/>{lines}</svg>'
    )


def _line(row: Float[np.ndarray, " length"], length: int, *, top: float, height: float) -> str:
    edges = np.unique(np.linspace(0, len(row), min(len(row), _COLUMNS) + 1).astype(int))
    if len(row) > 2 * _COLUMNS:
        parts = [row[a:b] for a, b in itertools.pairwise(edges)]
        x = np.repeat(edges[:-1], 2).astype(float)
        y = np.array([extreme for part in parts for extreme in (part.min(), part.max())], dtype=float)
    else:
        x, y = np.arange(len(row), dtype=float), row.astype(float)
    low, high = float(y.min()), float(y.max())
    down = top + height * (high - y) / (high - low if high > low else 1.0)
    across = _WIDTH * (x + 0.5) / length  # the middle of a sample, whose window is [k, k + 1)
    return f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))}"/>'


def _ends(found: Inspection) -> str:
    n = found.input_shape[1]
    stop = f"{n / found.rate_hz:g} s" if found.rate_hz else f"{n:,} samples"
    return f'<div class="ends"><span>0</span><span>{stop}</span></div>'
