"""What each unit of a network sees, as one self-contained HTML page: a signal, and every stage with a slider.

Draws what an Inspection holds; fetches nothing, and names neither files nor people. Must not know weights.
"""

import itertools
import json
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import Float

from vicinal.files import write_bytes
from vicinal.representations.inspection import Inspection, StageInspection, windows_of

__all__ = ["draw_page", "write_page"]

_WIDTH, _MOST_CHANNELS, _COLUMNS = 1000, 12, 1000

_STYLE = """
:root { --ink: #22303c; --muted: #5d6b78; --rule: #e6e3dc; --paper: #fbfaf7; --card: #fff;
  --blue: #1f6f8b; --gold: #e0a52e; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 1080px; margin: 0 auto; padding: 36px 24px 60px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 8px; }
.soft { color: var(--muted); font-size: 14px; margin: 0; overflow-wrap: anywhere; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 16px; margin: 22px 0; }
.totals div { border-left: 3px solid var(--blue); padding-left: 12px; }
.totals b { display: block; font-size: 22px; line-height: 1.2; } .totals span { color: var(--muted); font-size: 13px; }
#view { position: sticky; top: 0; z-index: 2; background: var(--card); border: 1px solid var(--rule);
  border-radius: 12px; padding: 12px 14px; margin: 22px 0 10px; box-shadow: 0 4px 14px #22303c14; }
#said { margin: 0 0 6px; font-size: 15px; min-height: 1.5em; } #said b { color: var(--blue); }
svg { display: block; width: 100%; }
polyline { fill: none; stroke: var(--ink); stroke-width: 1.1; vector-effect: non-scaling-stroke; }
#window { fill: var(--gold); fill-opacity: .28; stroke: var(--gold); vector-effect: non-scaling-stroke; }
.ends { display: flex; justify-content: space-between; color: var(--muted); font-size: 12px; }
.stage { padding: 12px 14px 8px; border: 1px solid transparent; border-bottom-color: var(--rule); }
.stage.chosen { background: var(--card); border-color: var(--gold); border-radius: 10px; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 18px; }
code { font: 14px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.band { position: relative; height: 6px; margin: 7px 0 2px; background: #ece8df; border-radius: 3px; overflow: hidden; }
.band i { position: absolute; top: 0; bottom: 0; min-width: 2px; background: var(--gold); border-radius: 3px; }
input { width: 100%; margin: 0; height: 26px; accent-color: var(--blue); }
@media (max-width: 600px) { main { padding: 22px 14px 40px; } h1 { font-size: 24px; } #view { padding: 10px; }
  .totals { grid-template-columns: 1fr 1fr; } .stage { padding: 10px 8px 6px; }
  #said { font-size: 14px; min-height: 3em; } }
"""

_SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const stages = [...document.querySelectorAll(".stage")];
function choose(k, speak) {
  const stage = data.stages[k], at = +stages[k].querySelector("input").value;
  const [start, stop] = stage.windows[at], part = 100 / data.length;
  const band = stages[k].querySelector("i");
  band.style.left = start * part + "%"; band.style.width = (stop - start) * part + "%";
  if (!speak) return;
  stages.forEach((one, j) => one.classList.toggle("chosen", j === k));
  const box = document.getElementById("window");
  box.setAttribute("x", start * data.width / data.length);
  box.setAttribute("width", (stop - start) * data.width / data.length);
  const time = data.rate_hz ? `, ${(start / data.rate_hz).toFixed(3)} to ${(stop / data.rate_hz).toFixed(3)} s` : "";
  const said = document.getElementById("said"), name = document.createElement("b");
  name.textContent = stage.text;
  said.replaceChildren(name, ` ${stage.word} ${stage.positions[at]} of ${stage.n} sees ${stop - start} samples, ` +
    `${start} to ${stop - 1}${time}`);
}
stages.forEach((one, k) => {
  one.querySelector("input").addEventListener("input", () => choose(k, true));
  one.addEventListener("click", () => choose(k, true));
  choose(k, false);
});
choose(data.first, true);
"""


def write_page(
    path: Path, found: Inspection, samples: Float[np.ndarray, "channels length"], *, about: str
) -> None:
    """Write the page, whole or not at all. Arguments as for `draw_page`.

    Raises:  PathError: when it cannot be written.
    """
    write_bytes(Path(path), draw_page(found, samples, about=about).encode())


def draw_page(found: Inspection, samples: Float[np.ndarray, "channels length"], *, about: str) -> str:
    """Return the page as HTML.

    Args:    found: of a network for signals along time.
             samples: what the windows are drawn over, at most as long as the network's input.
             about: the signal in words, without the name of a file or a person.
    """
    length = found.input_shape[1]
    seen = windows_of(found.text, found.input_shape, n_outputs=found.stages[-1].shape[0])
    stages = [
        {
            "text": stage.text,
            "word": "position" if len(stage.shape) > 1 else "feature",
            "n": stage.shape[-1],
            "positions": positions.tolist(),
            "windows": windows.tolist(),
        }
        for stage, (positions, windows) in zip(found.stages, seen, strict=True)
    ]
    with_positions = [k for k, stage in enumerate(found.stages) if len(stage.shape) > 1]
    data = {
        "length": length,
        "width": _WIDTH,
        "rate_hz": found.rate_hz,
        "first": with_positions[-1] if with_positions else 0,
        "stages": stages,
    }
    shape = " x ".join(map(str, found.input_shape))
    rate = f" at {found.rate_hz:g} Hz" if found.rate_hz else ""
    rows = "".join(
        _stage(stage, len(positions)) for stage, (positions, _) in zip(found.stages, seen, strict=True)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>What each unit sees</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f'<h1>What each unit sees</h1><p class="soft"><code>{escape(found.text.replace(chr(10), " | "))}</code></p>'
        f'<p class="soft">for signals of {shape}{rate}</p>{_totals(found)}'
        f'<div id="view"><p id="said"></p>{_signal(samples, length)}{_ends(found)}</div>'
        f'<p class="soft">Drawn over {escape(about)}. '
        "Move a slider: shaded is what that unit sees, in all channels.</p>"
        f'{rows}</main><script type="application/json" id="data">{_embedded(data)}</script>'
        f"<script>{_SCRIPT}</script></body></html>\n"
    )


def _embedded(data: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _totals(found: Inspection) -> str:
    field = f"{found.receptive_field_samples:,} samples"
    if found.receptive_field_ms is not None:
        field = f"{found.receptive_field_ms:,.0f} ms"
    beats = found.receptive_field_heartbeats
    late = "" if found.delay_ms is None else f", {found.delay_ms:,.0f} ms late"
    cells = [
        (f"{found.parameters:,}", f"parameters; as dense layers {found.dense_equivalent_parameters:,}"),
        (f"{found.multiply_adds:,}", "multiply-adds a signal"),
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


def _stage(stage: StageInspection, n_choices: int) -> str:
    shape = " x ".join(map(str, stage.shape))
    facts = (
        f"{shape} · {stage.parameters:,} parameters · {stage.multiply_adds:,} multiply-adds · "
        f"sees {stage.receptive_field_samples:,} samples"
    )
    return (
        f'<div class="stage"><div class="head"><code>{escape(stage.text)}</code><span class="soft">{facts}</span></div>'
        f'<div class="band"><i></i></div><input type="range" min="0" max="{n_choices - 1}" '
        f'value="{n_choices // 2}" aria-label="unit of {escape(stage.text)}"></div>'
    )


def _signal(samples: Float[np.ndarray, "channels length"], length: int) -> str:
    """Draw up to twelve channels one above the other, the extremes of each column of pixels."""
    rows = samples[:_MOST_CHANNELS]
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
