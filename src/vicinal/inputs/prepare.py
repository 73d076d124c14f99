"""THE path from a Signal to a network's input, used by packing and by scoring; a second one is a bug.

Deterministic, and the same to the last bit whatever was prepared before or beside it. Knows contracts; must
not know data sets, files or networks.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from vicinal.errors import ContractError
from vicinal.inputs.blocks import Blocks, filtered, framed, moments, pointwise, recorded, resampled
from vicinal.inputs.contract import Contract, choose_channels, rate_ratio, unit_factor
from vicinal.inputs.filters import band_stop, high_pass, low_pass
from vicinal.inputs.intervals import with_intervals
from vicinal.inputs.mel import filters_of
from vicinal.inputs.pixels import place, resize
from vicinal.inputs.steps import (
    Clip,
    EventIntervals,
    HighPass,
    LogMel,
    LowPass,
    Notch,
    Resample,
    Resize,
    Scale,
    SelectEvents,
    Step,
    UsualEvent,
)
from vicinal.inputs.usual import with_usual
from vicinal.inputs.violations import check
from vicinal.signal import Signal

__all__ = ["PREPARATION", "Prepared", "prepare"]

PREPARATION = 2
"""Goes up when the same signal and contract give other bits: packs made before are then made again."""


@dataclass(frozen=True)
class Prepared:
    """One network input.

    Args:    samples: (channels, *positions), C-contiguous; zero from `length` on.
             length: how many positions the network takes as signal: those that come from the recording, and
             all pixels of an image, which is framed and not cut short.
             valid: (*positions); False where the recording had no value, from `length` on, and in the frame
             around a smaller image.
             event_positions: (n,), one for each event of the signal, -1 where it lies outside or the contract
             does not select it; None without, and for images.
             offset: the position of the resampled recording that `samples[:, 0]` is; position j of the input
             stands for second (offset + j) / contract.position_rate_hz of the recording. 0 for images.
    """

    samples: Float32[np.ndarray, "channels *positions"]
    length: int
    valid: Bool[np.ndarray, "*positions"]
    event_positions: Int64[np.ndarray, " n"] | None
    offset: int


@dataclass(frozen=True)
class _State:
    blocks: Blocks
    events: Int64[np.ndarray, " n"] | None
    selected: Bool[np.ndarray, " n"] | None
    rate_hz: float


def prepare(signal: Signal, contract: Contract) -> Prepared:
    """Turn `signal` into what the network of `contract` takes.

    Channels are chosen and ordered by name, units converted, missing samples interpolated along a straight
    line; then come the contract's steps, and last the crop or the padding to its duration, all in float64.
    Only what the crop keeps is computed, a block at a time, however long the recording is.

    Args:    signal: any recording.  contract: what the network takes.
    Returns: samples of shape `contract.input_shape`, float32.
    Raises:  ContractError: when the signal breaks the contract in ways that cannot be converted; lists all.
    """
    violations = [violation for violation in check(signal, contract) if not violation.convertible]
    if violations:
        where = f"recording {signal.id!r}" + (f" ({signal.source})" if signal.source else "")
        raise ContractError(f"{where}: " + "; ".join(violation.message for violation in violations) + ".")
    rows = [indices[0] for indices in choose_channels(signal.channels, contract)]
    factors = [unit_factor(signal.units[row], contract.units) or 1.0 for row in rows]
    if contract.size is not None:
        return _image(signal.samples[rows] * np.array(factors)[:, None, None], contract, contract.size)
    events = None if signal.events is None else signal.events.positions
    selected = _selected(signal, contract)
    state = _State(
        recorded(signal.samples, rows=rows, factors=factors), events, selected, signal.rate_hz or 0.0
    )
    for step in contract.steps:
        state = _after(step, state, contract.rate_hz or 0.0)
    return _fitted(state, contract)


def _after(step: Step, state: _State, contract_hz: float) -> _State:
    """Return the state after one step; crop and padding come at the very end."""
    blocks, rate_hz = state.blocks, state.rate_hz
    match step:
        case Resample():
            return _resampled(state, contract_hz)
        case HighPass():
            taps = high_pass(step.cutoff_hz, width_hz=step.transition_hz, rate_hz=rate_hz)
            blocks = filtered(blocks, taps)
        case LowPass():
            taps = low_pass(step.cutoff_hz, width_hz=step.transition_hz, rate_hz=rate_hz)
            blocks = filtered(blocks, taps)
        case Notch():
            blocks = filtered(blocks, band_stop(step.frequency_hz, width_hz=step.width_hz, rate_hz=rate_hz))
        case LogMel():
            return _framed(step, state)
        case Scale():
            centre, spread = _scale(step, blocks)
            # Adding zero makes of minus zero zero, so that two empty channels have the same bits.
            blocks = pointwise(blocks, lambda samples: (samples - centre) / spread + 0.0)
        case Clip():
            blocks = pointwise(blocks, lambda samples: np.clip(samples, -step.limit, step.limit))
        case UsualEvent() if state.events is not None:
            before, after = (max(1, round(seconds * rate_hz)) for seconds in (step.before_s, step.after_s))
            blocks = with_usual(blocks, state.events[state.selected], before=before, after=after)
        case EventIntervals() if state.events is not None:  # `check` has refused recordings without
            places = state.events[state.selected]
            blocks = with_intervals(blocks, places, rate_hz=rate_hz, relative=step.relative)
    return replace(state, blocks=blocks)


def _selected(signal: Signal, contract: Contract) -> Bool[np.ndarray, " n"] | None:
    """Return which events of a signal the network is to hear of; the labels of the others do not matter."""
    if signal.events is None:
        return None
    chosen = next((step.symbols for step in contract.steps if isinstance(step, SelectEvents)), None)
    symbols = signal.events.symbols
    return np.array([chosen is None or symbol in chosen for symbol in symbols], dtype=bool)


def _resampled(state: _State, rate_hz: float) -> _State:
    ratio = rate_ratio(state.rate_hz, rate_hz)
    if ratio == 1:
        return state
    blocks, events = resampled(state.blocks, ratio), state.events
    if events is not None:
        events = np.minimum(np.rint(events * float(ratio)).astype(np.int64), blocks.n - 1)
    return replace(state, blocks=blocks, events=events, rate_hz=rate_hz)


def _framed(step: LogMel, state: _State) -> _State:
    rate_hz, events = state.rate_hz, state.events
    hop = step.hop(rate_hz)
    blocks = framed(state.blocks, filters_of(step, rate_hz), width=step.window(rate_hz), hop=hop)
    if events is not None:
        events = np.minimum((events + hop // 2) // hop, blocks.n - 1)
    return replace(state, blocks=blocks, events=events, rate_hz=rate_hz / hop)


def _scale(
    step: Scale, blocks: Blocks
) -> tuple[float | Float64[np.ndarray, "channels 1"], float | Float64[np.ndarray, "channels 1"]]:
    return moments(blocks) if step.by == "recording" else (step.centre or 0.0, step.spread or 1.0)


def _fitted(state: _State, contract: Contract) -> Prepared:
    blocks, n = state.blocks, contract.input_shape[-1]
    length, surplus = min(n, blocks.n), max(blocks.n - n, 0)
    offset = {"start": 0, "centre": surplus // 2, "end": surplus}[contract.crop.where]
    samples = np.zeros(contract.input_shape, dtype=np.float32)
    valid = np.zeros(n, dtype=bool)
    for start, stop in blocks.spans(offset, offset + length):
        samples[:, start - offset : stop - offset] = blocks.samples(start, stop)
        valid[start - offset : stop - offset] = blocks.valid(start, stop).all(axis=0)
    events = state.events
    if events is not None and state.selected is not None:
        events = events - offset
        inside = (events >= 0) & (events < length) & state.selected
        events = np.where(inside, events, -1).astype(np.int64)
    return Prepared(samples, length, valid, events, offset)


def _image(
    samples: Float64[np.ndarray, "channels height width"], contract: Contract, size: tuple[int, int]
) -> Prepared:
    for step in contract.steps:
        match step:
            case Resize():
                samples = resize(samples, size)
            case Scale():
                flat = samples.reshape(len(samples), -1)
                rows = list(range(len(flat)))
                centre, spread = _scale(step, recorded(flat, rows=rows, factors=[1.0] * len(rows)))
                samples = ((flat - centre) / spread + 0.0).reshape(samples.shape)
            case Clip():
                samples = np.clip(samples, -step.limit, step.limit)
    placed, filled = place(samples, size, where=contract.crop.where)
    valid = np.zeros(size, dtype=bool)
    valid[filled] = True
    return Prepared(placed.astype(np.float32), valid.size, valid, None, 0)
