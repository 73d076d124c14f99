"""What a trace of an image draws: the image with windows framed on it, what units give, and a heat map of the score.

Takes a Trace, returns inline SVG around PNG. Must not know what stands around it (`trace_page.py`).
"""

from collections.abc import Sequence
from html import escape

import numpy as np
from jaxtyping import Float

from vicinal.scores.attribution import Patch
from vicinal.scores.attribution_picture import tinted
from vicinal.scores.detectors_picture import picture_of
from vicinal.scores.trace import ExcitedUnit, Trace, TracedStage, Window

__all__ = ["attributed", "entered", "framed", "sees", "snippet"]

_WHOLE, _BESIDE, _ZOOM = 220, 150, 88
"""Widths on the page, in its own pixels."""


def entered(trace: Trace) -> str:
    """Draw the prepared image."""
    return _figure(_image(trace.prepared), trace.prepared.shape[1:], width=_WHOLE)


def framed(trace: Trace, stage: TracedStage) -> str:
    """Draw the image with the window of the most excited unit framed, and beside it what the unit gives."""
    first, sizes = stage.excited[0], trace.prepared.shape[1:]
    drawn = _figure(
        _image(trace.prepared), sizes, width=_BESIDE, windows=[first.window], said="what the first unit sees"
    )
    if first.position is None:
        return f"<div class=units>{drawn}</div>"
    low, high = float(stage.profile.min()), float(stage.profile.max())
    said = f"what unit {first.unit} gives: dark {low:.3g}, light {high:.3g}"
    gives = _figure(_image(stage.profile[None]), stage.profile.shape, width=_BESIDE, said=said)
    return f"<div class=units>{drawn}{gives}</div>"


def sees(one: ExcitedUnit) -> str:
    """Say what a unit sees."""
    return f"{one.sees} ({' x '.join(str(stop - start) for start, stop in one.window)} pixels)"


def snippet(trace: Trace, window: Window) -> str:
    """Draw the pixels inside a window, enlarged, light and dark as in the whole image."""
    sizes = tuple(stop - start for start, stop in window)
    if 0 in sizes or sizes == trace.prepared.shape[1:]:
        return ""
    patch = trace.prepared[:, *(slice(*span) for span in window)]
    whole = trace.prepared
    return _figure(picture_of(patch, float(whole.min()), float(whole.max())), sizes, width=_ZOOM)


def attributed(trace: Trace) -> str:
    """Draw two heat maps over the image, with the strongest patches framed: by gradients, and by hiding."""
    found, sizes = trace.attribution, trace.prepared.shape[1:]
    patches = [(one.rows, one.columns) for one in found.windows if isinstance(one, Patch)]
    maps = {"by hiding: how far the log-odds fall when a patch there is made flat": found.hidden}
    if found.gap is not None:
        maps = {"by gradients: what each pixel adds": found.values.sum(axis=0), **maps}
    drawn = "".join(
        _figure(
            picture_of(tinted(trace.prepared, values), 0.0, 1.0),
            sizes,
            width=_WHOLE,
            windows=patches,
            said=said,
        )
        for said, values in maps.items()
    )
    return f'<div class="units tinted">{drawn}</div>'


def _image(samples: Float[np.ndarray, "channels height width"]) -> str:
    return picture_of(samples, float(samples.min()), float(samples.max()))


def _figure(
    image: str, sizes: tuple[int, ...], *, width: int, windows: Sequence[Window] = (), said: str = ""
) -> str:
    """Draw an image, with windows framed, one pixel of it to one unit of the drawing."""
    down, across = sizes
    frames = "".join(
        f'<rect class="frame" x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"/>'
        for (top, bottom), (left, right) in windows
    )
    caption = f"<figcaption class=soft>{escape(said)}</figcaption>" if said else ""
    return (
        f'<figure style="width:{width}px"><svg viewBox="0 0 {across} {down}" role="img">'
        f'<image href="{image}" width="{across}" height="{down}" preserveAspectRatio="none"/>{frames}</svg>'
        f"{caption}</figure>"
    )
