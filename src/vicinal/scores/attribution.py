"""What one signal's score rests on, as plain data: the samples, the channels and the strongest windows or patches.

Two ways that share no arithmetic, so that a reader can see whether they agree: integrated gradients, and hiding a
window. Must not know how it is drawn (`attribution_picture.py`).
"""

from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

import numpy as np
import torch
from jaxtyping import Float32, Float64

from vicinal.errors import ExperimentError
from vicinal.inputs.prepare import Prepared
from vicinal.representations.attribution import (
    falls,
    flat,
    integrated_gradients,
    log_odds,
    occlusion,
    passes_gradients,
)
from vicinal.representations.network import Network
from vicinal.scores.model import Model

__all__ = ["Attribution", "Patch", "Window", "attribute", "contributions", "pixels"]

N_WINDOWS = 3
WINDOWS_PER_SIGNAL = 20
"""A window is a twentieth of the recording: half a second of ten."""
_PATCHES_PER_SIDE = 5
"""A patch is a fifth of each side of the image, and so about as small a part of it."""


@dataclass(frozen=True)
class Window:
    """One window of the recording.

    Attributes: start_s, stop_s: in seconds of the recording.  gradients: what its samples add to the log-odds;
                None when the network has no gradient.  hidden: how far the log-odds fall when it is flat.
    """

    start_s: float
    stop_s: float
    gradients: float | None
    hidden: float

    @property
    def where(self) -> str:
        """The window in words."""
        return f"{self.start_s:.2f} to {self.stop_s:.2f} s"


@dataclass(frozen=True)
class Patch:
    """One patch of the image as it entered the network.

    Attributes: rows, columns: [start, stop) of its pixels.  gradients, hidden: see Window.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    gradients: float | None
    hidden: float

    @property
    def where(self) -> str:
        """The patch in words."""
        return pixels((self.rows, self.columns))


@dataclass(frozen=True)
class Attribution:
    """What the log-odds of one class rest on; computed in float32, whatever the model's precision.

    Attributes: name: of the class.  log_odds: of the recording (its logit; for exclusive classes against all
                others).  flat_log_odds: of the same recording with every channel at its mean.
                gap: how far the values' sum is from the difference of both: the error of the rule; None when
                the network has no gradient, and all is known by hiding alone.
                channels: what each one's samples add up to; empty without gradients.  windows: the strongest
                three, of an image patches, by gradients where there are some, apart from each other, in order of
                time, or from top to bottom.
                values: (channels, *positions), what each sample adds; without gradients `hidden`, for each channel.
                hidden: (*positions), the mean fall when a window around the position is flat.
    """

    name: str
    log_odds: float
    flat_log_odds: float
    gap: float | None
    channels: dict[str, float]
    windows: tuple[Window, ...] | tuple[Patch, ...]
    values: Float32[np.ndarray, "channels *positions"] = field(repr=False)
    hidden: Float32[np.ndarray, "*positions"] = field(repr=False)

    @property
    def kind(self) -> str:
        """What is explained: a "signal" or an "image"."""
        return "signal" if self.hidden.ndim == 1 else "image"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, without the arrays that are only drawn."""
        plain = {name: value for name, value in vars(self).items() if name not in ("values", "hidden")}
        return {**plain, "windows": [asdict(window) for window in self.windows]}

    def lines(self) -> list[str]:
        """Return it as lines for a terminal."""
        strongest = sorted(self.channels.items(), key=lambda item: -abs(item[1]))[:4]
        channels = ", ".join(f"{name} {value:+.3f}" for name, value in strongest)
        return [
            f"rests on   {self.name}: log-odds {self.log_odds:+.3f}, of a flat {self.kind} "
            f"{self.flat_log_odds:+.3f}; "
            + (f"by channel {channels}" if channels else "the network has no gradient"),
            *(f"  {_line(window)}" for window in self.windows),
        ]


def pixels(window: tuple[tuple[int, int], ...]) -> str:
    """Return [start, stop) of rows and columns in words; the last pixel is named, as people count."""
    spans = zip(("row", "column"), window, strict=True)
    return ", ".join(
        f"{axis} {start}" if stop - start == 1 else f"{axis}s {start} to {stop - 1}"
        for axis, (start, stop) in spans
    )


def _line(one: Window | Patch) -> str:
    gradients = "" if one.gradients is None else f"{one.gradients:+.3f} by gradients, "
    return f"{one.where} adds {gradients}{one.hidden:+.3f} by hiding it"


class _Asked(TypedDict):
    output: int
    exclusive: bool


def attribute(model: Model, prepared: Prepared, *, name: str) -> Attribution:
    """Say what the score of one class rests on, in a recording along time or an image.

    Args:    prepared: by the contract of the model.  name: of the class.
    Raises:  ExperimentError: when the model has no such class.
    """
    classes = model.calibration.classes
    if name not in classes:
        raise ExperimentError(
            f"attribution: expected a class of the model, {', '.join(classes)}, got '{name}'."
        )
    network, length = model.build(), prepared.length if prepared.samples.ndim == 2 else None
    asked: _Asked = {"output": classes.index(name), "exclusive": model.calibration.task == "classes"}
    x, lengths = torch.from_numpy(prepared.samples)[None], None if length is None else torch.tensor([length])
    sizes, parts = (x.shape[2:], _PATCHES_PER_SIDE) if length is None else ((length,), WINDOWS_PER_SIGNAL)
    window = tuple(max(1, round(n / parts)) for n in sizes)
    hidden = occlusion(network, x, window=window, lengths=lengths, **asked)[0, :length].numpy()
    values, gap = contributions(network, prepared.samples, length=length, **asked)
    with torch.no_grad():
        scores = [float(log_odds(network(v, lengths), **asked)) for v in (x, flat(x, lengths))]
    places = _strongest(values.sum(axis=0), window)
    fell = falls(network, x[0], places, length=length, **asked).tolist()
    added = [None if gap is None else float(values[:, *place].sum()) for place in places]
    sums = values.reshape(len(values), -1).sum(axis=1).tolist()
    return Attribution(
        name=name,
        log_odds=scores[0],
        flat_log_odds=scores[1],
        gap=gap,
        channels={} if gap is None else dict(zip(model.contract.input_channels, sums, strict=True)),
        windows=_told(list(zip(places, added, fell, strict=True)), prepared, model.contract.position_rate_hz),
        values=values,
        hidden=hidden,
    )


def _told(
    found: list[tuple[tuple[slice, ...], float | None, float]], prepared: Prepared, rate_hz: float | None
) -> tuple[Window, ...] | tuple[Patch, ...]:
    """Return the places with what they add and how far the log-odds fall without, in seconds where there is time."""
    if rate_hz is None:
        return tuple(
            Patch((rows.start, rows.stop), (columns.start, columns.stop), added, fall)
            for (rows, columns), added, fall in found
        )
    first = prepared.offset
    return tuple(
        Window((first + span.start) / rate_hz, (first + span.stop) / rate_hz, added, fall)
        for (span,), added, fall in found
    )


def contributions(
    network: Network,
    samples: Float32[np.ndarray, "channels *positions"],
    *,
    length: int | None,
    output: int,
    exclusive: bool,
    steps: int = 64,
) -> tuple[Float32[np.ndarray, "channels *positions"], float | None]:
    """Return what each sample adds to the log-odds of one output, by gradients or, where there is none, by hiding.

    Args:    samples: prepared.  length: real positions of a signal, where the result ends; None for an image.
             output, exclusive, steps: as for `integrated_gradients`.
    Returns: the values, and their gap; without a gradient the falls around each position, and None.
    """
    x, lengths = torch.from_numpy(samples)[None], None if length is None else torch.tensor([length])
    real = slice(length)
    if passes_gradients(network):
        found = integrated_gradients(
            network, x, lengths=lengths, output=output, exclusive=exclusive, steps=steps
        )
        return found.values[0].numpy()[..., real], float(found.gap)
    sizes = samples.shape[1:] if length is None else (length,)
    window = tuple(max(1, round(n / WINDOWS_PER_SIGNAL)) for n in sizes)
    fell = occlusion(network, x, window=window, lengths=lengths, output=output, exclusive=exclusive)
    return fell.expand(samples.shape).numpy()[..., real], None


def _strongest(values: Float32[np.ndarray, "*positions"], window: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Return the windows of greatest sum, sign aside, none over another, in order of time or from top to bottom."""
    sums = values.astype(np.float64)
    for axis, size in enumerate(window):
        totals = np.insert(np.cumsum(sums, axis=axis), 0, 0.0, axis=axis)
        sums = _apart(totals, size, axis)
    left = np.abs(sums)
    starts: list[tuple[int, ...]] = []
    while len(starts) < N_WINDOWS and (left > 0).any():
        start = tuple(int(at) for at in np.unravel_index(int(left.argmax()), left.shape))
        starts.append(start)
        over = tuple(slice(max(at - size + 1, 0), at + size) for at, size in zip(start, window, strict=True))
        left[over] = 0
    return [
        tuple(slice(at, at + size) for at, size in zip(start, window, strict=True))
        for start in sorted(starts)
    ]


def _apart(
    totals: Float64[np.ndarray, "*positions"], by: int, axis: int
) -> Float64[np.ndarray, "*fewer_positions"]:
    """Return the differences of values that lie so far apart along an axis."""
    along = np.moveaxis(totals, axis, 0)
    found: Float64[np.ndarray, "*fewer_positions"] = np.moveaxis(along[by:] - along[:-by], 0, axis)
    return found
