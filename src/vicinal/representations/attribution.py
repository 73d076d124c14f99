"""Which inputs a score rests on: integrated gradients, occlusion, and the check that they look at the weights.

What is explained is the log-odds of one answer: the logit itself for a binary task or independent labels, and for
exclusive classes its logit against all others, so that what is added to every logit alike explains nothing. The
comparison is with a flat signal: each channel at its own mean. Works on the frozen network that scores, in float32.
Knows networks; must not know signals, contracts or drawings.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vicinal.errors import NetworkError
from vicinal.representations.folding import folded
from vicinal.representations.network import Network

__all__ = [
    "Integrated",
    "Method",
    "Randomised",
    "falls",
    "flat",
    "integrated_gradients",
    "log_odds",
    "occlusion",
    "passes_gradients",
    "randomised",
]

ROWS = 16
"""Rows computed at a time: gradients keep every stage's values of all of them in memory."""

Signals = Float[Tensor, "batch channels *positions"]
Lengths = Int64[Tensor, " batch"] | None
Method = Callable[[Network, Tensor, Tensor | None], Tensor]
"""A network, signals and their lengths -> a map of the signals."""


@dataclass(frozen=True)
class Integrated:
    """Integrated gradients of a batch.

    Attributes: values: like the signals; what each sample adds to the log-odds, 0 past the length.
                score, baseline_score: (batch,) log-odds of the signals and of their baselines.
    """

    values: Signals
    score: Float[Tensor, " batch"]
    baseline_score: Float[Tensor, " batch"]

    @property
    def gap(self) -> Float[Tensor, " batch"]:
        """How far the values' sum is from what they should explain, score - baseline_score: the rule's error."""
        return self.values.flatten(1).sum(1) - (self.score - self.baseline_score)


@dataclass(frozen=True)
class Randomised:
    """How much of a map is left once the weights of a stage, and of all behind it, are drawn anew.

    Attributes: stage: its text.  signed, magnitudes: rank correlation (Spearman) with the map of the network as
                it is, and of the two maps without their signs; the mean over rows and draws.
    """

    stage: str
    signed: float
    magnitudes: float


def integrated_gradients(
    network: Network,
    x: Signals,
    *,
    lengths: Lengths = None,
    output: int = 0,
    exclusive: bool = False,
    baseline: Signals | None = None,
    steps: int = 64,
) -> Integrated:
    """Share the log-odds of one answer out over the samples: the gradient's mean on the way from the baseline.

    Args:    x: (batch, *network.input_shape), float32.  lengths: real positions of each row; None: all.
             output: which logit.  exclusive: whether the outputs are one task's classes, of which one holds.
             baseline: like x; None: `flat(x, lengths)`.  steps: points on the way, >= 1; the middle of each.
    Returns: values that add up to score - baseline_score, but for an error of the order of 1 / steps.
    Raises:  NetworkError: the network gives one answer per position, has no such output or no gradient (see
             `passes_gradients`), or steps < 1.

    Source: Sundararajan et al. 2017. Ours: the flat signal, not zeros, which in a signal with an offset are a step.
    """
    _check(network, output, exclusive=exclusive)
    if steps < 1:
        raise NetworkError(f"integrated gradients: expected steps >= 1, got {steps}; 64 is a good number.")
    frozen, real = folded(network), _real(x, lengths)
    x = x.masked_fill(~real, 0.0)
    start = flat(x, lengths) if baseline is None else baseline.masked_fill(~real, 0.0)
    way = (torch.arange(steps, device=x.device, dtype=x.dtype) + 0.5) / steps
    values = torch.zeros_like(x)
    for row in range(len(x)):
        for part in torch.split(way, ROWS):
            points = start[row] + part.view(-1, *[1] * (x.dim() - 1)) * (x[row] - start[row])
            n = None if lengths is None else lengths[row].expand(len(part))
            values[row] += _gradient(frozen, points, n, output, exclusive=exclusive).sum(0)
    values = (values / steps * (x - start)).masked_fill(~real, 0.0)
    score = _scores(frozen, x, lengths, output, exclusive=exclusive)
    return Integrated(values, score, _scores(frozen, start, lengths, output, exclusive=exclusive))


def occlusion(
    network: Network,
    x: Signals,
    *,
    window: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    lengths: Lengths = None,
    output: int = 0,
    exclusive: bool = False,
    baseline: Signals | None = None,
) -> Float[Tensor, "batch *positions"]:
    """Hide one window after the other, in all channels, and see how far the log-odds of one answer fall.

    Args:    window, stride: in positions, one number or one per axis; stride None: half of the window. The last
             window ends where the row ends; a window longer than the row is the row.
             baseline: what a hidden window shows; x and all others: as for `integrated_gradients`.
    Returns: for each position the mean fall over the windows that hide it; 0 past the length.
    Raises:  NetworkError: as for `integrated_gradients`, or a stride leaves positions out.

    Source: Zeiler and Fergus 2014. Ours: the flat signal instead of a grey one, and windows that overlap.
    """
    _check(network, output, exclusive=exclusive)
    sizes = _per_axis(window, x.dim() - 2, "window")
    steps = tuple((n + 1) // 2 for n in sizes) if stride is None else _per_axis(stride, x.dim() - 2, "stride")
    if any(step > size for step, size in zip(steps, sizes, strict=True)):
        raise NetworkError(
            f"occlusion: expected a stride of at most the window {sizes}, got {steps}; positions between "
            f"windows would never be hidden."
        )
    frozen, real = folded(network), _real(x, lengths)
    x = x.masked_fill(~real, 0.0)
    shown = flat(x, lengths) if baseline is None else baseline.masked_fill(~real, 0.0)
    found = torch.zeros_like(x[:, 0])
    for row in range(len(x)):
        n = None if lengths is None else lengths[row : row + 1]
        windows = list(_windows(x.shape[2:] if n is None else (int(n),), sizes, steps))
        times = torch.zeros_like(found[row])
        fell = _falls(frozen, x[row], shown[row], windows, n, output, exclusive=exclusive)
        for fall, place in zip(fell, windows, strict=True):
            found[row][place] += fall
            times[place] += 1
        found[row] /= times.clamp(min=1)
    return found


def falls(
    network: Network,
    x: Float[Tensor, "channels *positions"],
    windows: Sequence[tuple[slice, ...]],
    *,
    length: int | None = None,
    output: int = 0,
    exclusive: bool = False,
) -> Float[Tensor, " windows"]:
    """Return how far the log-odds of one signal fall when each of these windows is hidden, one at a time.

    Args:    x: one signal.  windows: a slice for each axis of positions.  length: its real positions; None: all.
             output, exclusive: as for `integrated_gradients`.
    Raises:  NetworkError: as for `integrated_gradients`.
    """
    _check(network, output, exclusive=exclusive)
    n = None if length is None else torch.tensor([length], device=x.device)
    real = _real(x[None], n)[0]
    x = x.masked_fill(~real, 0.0)
    shown = flat(x[None], n)[0]
    return _falls(folded(network), x, shown, windows, n, output, exclusive=exclusive)


def randomised(
    network: Network,
    x: Signals,
    *,
    method: Method,
    lengths: Lengths = None,
    seed: int = 0,
    draws: int = 4,
) -> tuple[Randomised, ...]:
    """Draw weights anew, stage by stage from the head to the input, and compare the maps with the first one.

    A map that stays as it is does not show what the network has learnt, but what the signal looks like.
    Integrated gradients are the signal times a mean gradient, so that some of their magnitudes always stay: look at
    `signed` first.

    Args:    x, lengths: as for `integrated_gradients`.  method: what makes the map, for instance
             `lambda network, x, lengths: occlusion(network, x, lengths=lengths, window=50)`.
             seed: of the weights.  draws: networks to take the mean over, >= 1.
    Returns: one entry per stage with weights, the head first; the last one has no learnt weight left.
    Raises:  NetworkError: the network has no weights, or draws < 1.

    Source: Adebayo et al. 2018, "Sanity checks for saliency maps" (cascading randomisation).
    """
    layers = list(enumerate(network.layers()))
    places = [k for k, layer in layers if next(layer.parameters(), None) is not None]  # type: ignore[attr-defined]
    if draws < 1 or not places:
        raise NetworkError(
            f"randomising: expected a network with weights and draws >= 1, got {len(places)} stages with "
            f"weights and draws {draws}."
        )
    first, real = method(network, x, lengths), _real(x, lengths)
    found = np.zeros((draws, len(places), 2))
    for draw in range(draws):
        # On the processor, where `build` draws too: a seed gives the same weights on every device.
        changed = copy.deepcopy(network).cpu()
        generator = torch.Generator().manual_seed(seed + draw)
        for k, place in enumerate(reversed(places)):
            list(changed.layers())[place].initialise(generator)
            again = method(copy.deepcopy(changed).to(x.device), x, lengths)
            found[draw, k] = _similarity(first, again, real)
    means = found.mean(0).tolist()
    texts = [network.stage_texts[place] for place in reversed(places)]
    return tuple(Randomised(text, *mean) for text, mean in zip(texts, means, strict=True))


def passes_gradients(network: Network) -> bool:
    """Return whether a gradient reaches the samples: it does not where a stage counts, as `minirocket` does.

    Raises:  NetworkError: when the network cannot run yet.
    """
    x = torch.zeros(1, *network.input_shape, device=next(network.parameters()).device, requires_grad=True)
    with torch.enable_grad():
        return bool(folded(network)(x).requires_grad)


def log_odds(
    logits: Float[Tensor, "batch outputs"], output: int, *, exclusive: bool
) -> Float[Tensor, " batch"]:
    """Return the log-odds of one answer: its logit, or for exclusive classes its logit against all others."""
    if not exclusive:
        return logits[:, output]
    others = torch.cat([logits[:, :output], logits[:, output + 1 :]], dim=1)
    return logits[:, output] - others.logsumexp(1)


def flat(x: Signals, lengths: Lengths = None) -> Signals:
    """Return the signals with every channel at its mean over the real positions, and 0 past the length."""
    real, axes = _real(x, lengths), tuple(range(2, x.dim()))
    n = real.sum(axes, keepdim=True).clamp(min=1)
    mean = x.masked_fill(~real, 0.0).sum(axes, keepdim=True) / n
    return mean.expand_as(x).masked_fill(~real, 0.0)


def _check(network: Network, output: int, *, exclusive: bool) -> None:
    shape = list(network.layers())[-1].facts.shape
    if len(shape) > 1:
        raise NetworkError(
            "attribution: expected a network with one answer per signal, got one answer per position; end it "
            "with a pooling stage and 'dense classes'."
        )
    if not 0 <= output < network.n_outputs or (exclusive and network.n_outputs < 2):
        raise NetworkError(
            f"attribution: expected an output from 0 to {network.n_outputs - 1}, and 2 or more of them where "
            f"they are exclusive, got {output} of {network.n_outputs}."
        )


def _real(x: Signals, lengths: Lengths) -> Bool[Tensor, "batch 1 *positions"]:
    """Return which positions are real; images have no lengths."""
    if lengths is None:
        return torch.ones_like(x[:, :1], dtype=torch.bool)
    return (torch.arange(x.shape[-1], device=x.device) < lengths[:, None]).unsqueeze(1)


def _scores(
    network: Network, x: Signals, lengths: Lengths, output: int, *, exclusive: bool
) -> Float[Tensor, " batch"]:
    parts = []
    with torch.no_grad():
        for start in range(0, len(x), ROWS):
            rows = slice(start, start + ROWS)
            logits = network(x[rows], None if lengths is None else lengths[rows])
            parts.append(log_odds(logits, output, exclusive=exclusive))
    return torch.cat(parts)


def _falls(
    network: Network,
    x: Float[Tensor, "channels *positions"],
    shown: Float[Tensor, "channels *positions"],
    windows: Sequence[tuple[slice, ...]],
    length: Lengths,
    output: int,
    *,
    exclusive: bool,
) -> Float[Tensor, " windows"]:
    """Return the log-odds of x less those of x with each window hidden by what is in `shown`."""
    found = [_scores(network, x[None], length, output, exclusive=exclusive)]
    for start in range(
        0, len(windows), ROWS
    ):  # few copies at a time: there may be as many windows as positions
        some = windows[start : start + ROWS]
        hidden = x.repeat(len(some), *[1] * x.dim())
        for copied, place in zip(hidden, some, strict=True):
            copied[:, *place] = shown[:, *place]
        n = None if length is None else length.expand(len(some))
        found.append(_scores(network, hidden, n, output, exclusive=exclusive))
    scores = torch.cat(found)
    return scores[0] - scores[1:]


def _gradient(network: Network, x: Signals, lengths: Lengths, output: int, *, exclusive: bool) -> Signals:
    # cuDNN has no backward pass for a recurrent layer in evaluation; torch's own has.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        x = x.detach().requires_grad_()
        odds = log_odds(network(x, lengths), output, exclusive=exclusive)
        if not odds.requires_grad:
            raise NetworkError(
                "integrated gradients: no gradient reaches the samples, since a stage of the network counts "
                "instead of computing; use occlusion."
            )
        (gradient,) = torch.autograd.grad(odds.sum(), x)
    return gradient


def _windows(
    ends: tuple[int, ...], sizes: tuple[int, ...], steps: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    """Yield windows that cover all positions before `ends`; all are whole, the last one ends there."""
    along = []
    for end, size, step in zip(ends, sizes, steps, strict=True):
        starts = [*range(0, max(end - size, 0), step), max(end - size, 0)]
        along.append([slice(start, min(start + size, end)) for start in starts])
    yield from product(*along)


def _per_axis(size: int | tuple[int, ...], n_axes: int, name: str) -> tuple[int, ...]:
    sizes = (size,) * n_axes if isinstance(size, int) else tuple(size)
    if len(sizes) != n_axes or any(n < 1 for n in sizes):
        raise NetworkError(
            f"occlusion: expected a {name} of {n_axes} numbers from 1, got {size}; one per axis of positions."
        )
    return sizes


def _similarity(
    first: Tensor, second: Tensor, real: Bool[Tensor, "batch 1 *positions"]
) -> tuple[float, float]:
    """Return the rows' mean rank correlation of two maps over real positions, with and without signs."""
    found = []
    for one, other, there in zip(first, second, real, strict=True):
        kept = there[0].cpu().numpy()
        a, b = (map_.detach().cpu().numpy()[..., kept].ravel() for map_ in (one, other))
        found.append((_rank_correlation(a, b), _rank_correlation(np.abs(a), np.abs(b))))
    signed, magnitudes = np.mean(found, axis=0).tolist()
    return signed, magnitudes


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation, equal values at their mean rank; 0 where one of them does not vary."""
    ranks = []
    for values in (a, b):
        _, place, count = np.unique(values, return_inverse=True, return_counts=True)
        rank = (np.cumsum(count) - (count - 1) / 2)[place]
        ranks.append(rank - rank.mean())
    size = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / size if size else 0.0
