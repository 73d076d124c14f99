"""ECG paper as a PNG, at true size when printed: the same layout as the SVG, drawn by matplotlib.

Takes samples and a path. Must not know models, scores or pages.
"""

import io

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from vicinal.evidence.report.strips import Layout, Strip

__all__ = ["image_png", "strips_png"]

_MM_PER_INCH = 25.4
_DPI = 150
_FINE, _BOLD, _INK = "#f6dcd6", "#ebb5a9", "#22303c"


def strips_png(layout: Layout) -> bytes:
    """Return the drawing of a layout as PNG, 150 dots an inch, one millimetre of paper a millimetre."""
    figure = Figure(figsize=(layout.width / _MM_PER_INCH, layout.height / _MM_PER_INCH), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, layout.width)
    axes.set_ylim(layout.height, 0)
    for step, colour, width in ((1, _FINE, 0.3), (5, _BOLD, 0.6)):
        axes.add_collection(LineCollection(_grid(layout, step), colors=colour, linewidths=width))
    for strip in layout.strips:
        x = np.arange(strip.heights.size) * layout.mm_per_sample
        y = strip.baseline - np.clip(strip.heights, strip.low, strip.high)
        axes.plot(x, y, color=_INK, linewidth=0.8)
        _write_words(axes, strip, layout.mm_per_sample)
    return _png(figure)


def image_png(pixels: Float[np.ndarray, "channels height width"], *, low: float, high: float) -> bytes:
    """Return an image as PNG, enlarged to about 600 pixels; `low` is black and `high` white."""
    height, width = pixels.shape[1:]
    zoom = max(1, 600 // max(height, width))
    figure = Figure(figsize=(width * zoom / _DPI, height * zoom / _DPI), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    shown = np.clip((pixels - low) / max(high - low, 1e-12), 0, 1)
    if len(pixels) == 3:
        axes.imshow(shown.transpose(1, 2, 0), interpolation="nearest", aspect="auto")
    else:
        axes.imshow(shown[0], cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    return _png(figure)


def _grid(layout: Layout, step: int) -> list[list[tuple[float, float]]]:
    across = [[(float(x), 0.0), (float(x), layout.height)] for x in range(0, int(layout.width) + 1, step)]
    down = [[(0.0, float(y)), (layout.width, float(y))] for y in range(0, int(layout.height) + 1, step)]
    return across + down


def _write_words(axes: Axes, strip: Strip, mm_per_sample: float) -> None:
    if strip.name:
        axes.text(1.0, strip.name_at, strip.name, fontsize=9, fontweight="bold", color=_INK, parse_math=False)
    for at, symbol in strip.marks:
        x = at * mm_per_sample
        axes.text(x, strip.marks_at, symbol, fontsize=7, color=_INK, ha="center", parse_math=False)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the version of the library in it, the same signal gives the same bytes.
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
