"""What one recording's score rests on, as plain data: the samples, the channels and the strongest windows.

Two ways that share no arithmetic, so that a reader can see whether they agree: integrated gradients, and hiding a
window. Must not know how it is drawn (`attribution_picture.py`).
"""

from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
import torch
from jaxtyping import Float32

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

__all__ = ["Attribution", "Window", "attribute", "contributions"]

N_WINDOWS = 3
WINDOWS_PER_SIGNAL = 20
"""A window is a twentieth of the recording: half a second of ten."""


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

    def line(self) -> str:
        """Return it as a line for a terminal."""
        gradients = "" if self.gradients is None else f"{self.gradients:+.3f} by gradients, "
        return f"{self.start_s:.2f} to {self.stop_s:.2f} s adds {gradients}{self.hidden:+.3f} by hiding it"


@dataclass(frozen=True)
class Attribution:
    """What the log-odds of one class rest on; computed in float32, whatever the model's precision.

    Attributes: name: of the class.  log_odds: of the recording (its logit; for exclusive classes against all
                others).  flat_log_odds: of the same recording with every channel at its mean.
                gap: how far the values' sum is from the difference of both: the error of the rule; None when
                the network has no gradient, and all is known by hiding alone.
                channels: what each one's samples add up to; empty without gradients.  windows: the strongest
                three, by gradients where there are some, apart from each other, in order of time.
                values: (channels, length), what each sample adds; without gradients `hidden`, for each channel.
                hidden: (length,), the mean fall when a window around the position is flat.
    """

    name: str
    log_odds: float
    flat_log_odds: float
    gap: float | None
    channels: dict[str, float]
    windows: tuple[Window, ...]
    values: Float32[np.ndarray, "channels length"] = field(repr=False)
    hidden: Float32[np.ndarray, " length"] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, without the arrays that are only drawn."""
        plain = {name: value for name, value in vars(self).items() if name not in ("values", "hidden")}
        return {**plain, "windows": [vars(window) for window in self.windows]}

    def lines(self) -> list[str]:
        """Return it as lines for a terminal."""
        strongest = sorted(self.channels.items(), key=lambda item: -abs(item[1]))[:4]
        channels = ", ".join(f"{name} {value:+.3f}" for name, value in strongest)
        return [
            f"rests on   {self.name}: log-odds {self.log_odds:+.3f}, of a flat signal {self.flat_log_odds:+.3f}; "
            + (f"by channel {channels}" if channels else "the network has no gradient"),
            *(f"  {window.line()}" for window in self.windows),
        ]


class _Asked(TypedDict):
    output: int
    exclusive: bool


def attribute(model: Model, prepared: Prepared, *, rate_hz: float, name: str) -> Attribution:
    """Say what the score of one class rests on, in a recording along time.

    Args:    prepared: by the contract of the model.  rate_hz: of its positions.  name: of the class.
    Raises:  ExperimentError: when the model has no such class.
    """
    classes = model.calibration.classes
    if name not in classes:
        raise ExperimentError(
            f"attribution: expected a class of the model, {', '.join(classes)}, got '{name}'."
        )
    network, length = model.build(), prepared.length
    asked: _Asked = {"output": classes.index(name), "exclusive": model.calibration.task == "classes"}
    x, lengths = torch.from_numpy(prepared.samples)[None], torch.tensor([length])
    width = max(1, round(length / WINDOWS_PER_SIGNAL))
    hidden = occlusion(network, x, window=width, lengths=lengths, **asked)[0, :length].numpy()
    values, gap = contributions(network, prepared.samples, length=length, **asked)
    with torch.no_grad():
        scores = [float(log_odds(network(v, lengths), **asked)) for v in (x, flat(x, lengths))]
    spans = [slice(start, start + width) for start in _strongest(values.sum(axis=0), width)]
    fell = falls(network, x[0], [(span,) for span in spans], length=length, **asked).tolist()
    sums = values.sum(axis=1).tolist()
    return Attribution(
        name=name,
        log_odds=scores[0],
        flat_log_odds=scores[1],
        gap=gap,
        channels={} if gap is None else dict(zip(model.contract.input_channels, sums, strict=True)),
        windows=tuple(
            Window(
                (prepared.offset + span.start) / rate_hz,
                (prepared.offset + span.stop) / rate_hz,
                None if gap is None else float(values[:, span].sum()),
                fall,
            )
            for span, fall in zip(spans, fell, strict=True)
        ),
        values=values,
        hidden=hidden,
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


def _strongest(values: Float32[np.ndarray, " length"], width: int) -> list[int]:
    """Return where the windows of greatest sum begin, sign aside, none over another, in order of time."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    size = np.abs(sums[width:] - sums[:-width])
    starts: list[int] = []
    while len(starts) < N_WINDOWS and (size > 0).any():
        start = int(size.argmax())
        starts.append(start)
        size[max(start - width + 1, 0) : start + width] = 0
    return sorted(starts)
