"""A range test drawn: the loss over the learning rate, and the rate that is suggested.

Drawn with matplotlib without its global state: same test, same bytes. Must not know files.
"""

import io
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from vicinal.training.range_test import RangeTest

__all__ = ["FORMATS", "range_picture"]

FORMATS = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}}
"""Ends of names, and what their metadata leave out: when and by which version it was drawn."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "range",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e3dc",
}


def range_picture(test: RangeTest, *, kind: str) -> bytes:
    """Return the picture as the bytes of a file.

    Args:    kind: one of `FORMATS`.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(test.rates, test.losses, ".", color="#a9b3bb", markersize=4, label="each step")
        axes.plot(test.rates, test.smooth, color="#1f6f8b", linewidth=1.7, label="with its neighbours")
        if test.suggested is not None:
            axes.axvline(test.suggested, color="#c4523a", linestyle="--", linewidth=1.2)
            axes.annotate(
                f" {test.suggested:.1e}",
                (test.suggested, 0.97),
                xycoords=("data", "axes fraction"),
                color="#c4523a",
                va="top",
            )
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss")
        axes.legend(frameon=False, loc="lower left")
        stream = io.BytesIO()
        figure.savefig(stream, format=kind.removeprefix("."), dpi=150, metadata=FORMATS[kind])
        return stream.getvalue()
