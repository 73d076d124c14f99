"""THE path from a Signal to a network's input, used by packing and by scoring; a second one is a bug.

Deterministic, and the same to the last bit whatever was prepared before or beside it. Knows contracts; must
not know data sets, files or networks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from vicinal.errors import ContractError
from vicinal.inputs import filters
from vicinal.inputs.contract import Contract, choose_channels, rate_ratio, unit_factor
from vicinal.inputs.filters import apply_window, band_stop, high_pass, low_pass, resample_mask
from vicinal.inputs.mel import filters_of, frame_mask, log_mel
from vicinal.inputs.pixels import place, resize
from vicinal.inputs.steps import Clip, HighPass, LogMel, LowPass, Notch, Resample, Resize, Scale
from vicinal.inputs.violations import check
from vicinal.signal import Signal

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """One network input.

    Args:    samples: (channels, *positions), C-contiguous; zero from `length` on.
             length: how many positions the network takes as signal: those that come from the recording, and
             all pixels of an image, which is framed and not cut short.
             valid: (*positions); False where the recording had no value, from `length` on, and in the frame
             around a smaller image.
             event_positions: (n,), one for each event of the signal, -1 where it lies outside; None without,
             and for images.
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
    samples: Float64[np.ndarray, "channels *positions"]
    valid: Bool[np.ndarray, "channels *positions"]
    events: Int64[np.ndarray, " n"] | None
    rate_hz: float


def prepare(signal: Signal, contract: Contract) -> Prepared:
    """Turn `signal` into what the network of `contract` takes.

    Channels are chosen and ordered by name, units converted, missing samples interpolated along a straight
    line; then come the contract's steps, and last the crop or the padding to its duration, all in float64.

    Args:    signal: any recording.  contract: what the network takes.
    Returns: samples of shape `contract.input_shape`, float32.
    Raises:  ContractError: when the signal breaks the contract in ways that cannot be converted; lists all.
    """
    violations = [violation for violation in check(signal, contract) if not violation.convertible]
    if violations:
        where = f"recording {signal.id!r}" + (f" ({signal.source})" if signal.source else "")
        raise ContractError(f"{where}: " + "; ".join(violation.message for violation in violations) + ".")
    state = _enter(signal, contract)
    for step in contract.steps:
        if step.step not in ("crop", "pad"):
            state = _STEPS[type(step)](step, state, contract)
    return _fit(state, contract) if contract.size is None else _framed(state, contract, contract.size)


def _enter(signal: Signal, contract: Contract) -> _State:
    chosen = [indices[0] for indices in choose_channels(signal.channels, contract)]
    samples = signal.samples[chosen].astype(np.float64)
    for row, index in enumerate(chosen):
        factor = unit_factor(signal.units[index], contract.units)
        if factor is not None and factor != 1.0:
            samples[row] *= factor
    valid = np.isfinite(samples)
    if not valid.all():
        positions = np.arange(samples.shape[1])
        for row, known in zip(samples, valid, strict=True):
            row[~known] = np.interp(positions[~known], positions[known], row[known])
    events = None if signal.events is None else signal.events.positions
    return _State(samples, valid, events, signal.rate_hz or 0.0)


def _resample(_: Resample, state: _State, contract: Contract) -> _State:
    rate_hz = contract.rate_hz or 0.0
    ratio = rate_ratio(state.rate_hz, rate_hz)
    if ratio == 1:
        return state
    samples = filters.resample(state.samples, ratio)
    valid = np.stack([resample_mask(row, ratio) for row in state.valid])
    events = state.events
    if events is not None:
        events = np.minimum(np.rint(events * float(ratio)).astype(np.int64), samples.shape[1] - 1)
    return _State(samples, valid, events, rate_hz)


def _high_pass(step: HighPass, state: _State, _: Contract) -> _State:
    taps = high_pass(step.cutoff_hz, width_hz=step.transition_hz, rate_hz=state.rate_hz)
    return replace(state, samples=apply_window(state.samples, taps))


def _low_pass(step: LowPass, state: _State, _: Contract) -> _State:
    taps = low_pass(step.cutoff_hz, width_hz=step.transition_hz, rate_hz=state.rate_hz)
    return replace(state, samples=apply_window(state.samples, taps))


def _notch(step: Notch, state: _State, _: Contract) -> _State:
    taps = band_stop(step.frequency_hz, width_hz=step.width_hz, rate_hz=state.rate_hz)
    return replace(state, samples=apply_window(state.samples, taps))


def _scale(step: Scale, state: _State, _: Contract) -> _State:
    if step.by == "constant":
        return replace(state, samples=(state.samples - (step.centre or 0.0)) / (step.spread or 1.0))
    rows = []
    for row, known in zip(state.samples, state.valid, strict=True):
        values = row[known] if known.any() else row
        centred, spread = row - values.mean(), values.std()
        # A constant channel has no spread but that of rounding; it becomes zero instead of amplified noise.
        rows.append(centred / spread if spread > 1e-9 * np.abs(values).max() else np.zeros_like(row))
    return replace(state, samples=np.stack(rows))


def _clip(step: Clip, state: _State, _: Contract) -> _State:
    return replace(state, samples=np.clip(state.samples, -step.limit, step.limit))


def _log_mel(step: LogMel, state: _State, _: Contract) -> _State:
    rate = state.rate_hz
    window, hop = step.window(rate), step.hop(rate)
    samples = log_mel(state.samples, filters_of(step, rate), window=window, hop=hop)
    masks = [frame_mask(row, window=window, hop=hop) for row in state.valid]
    events = state.events
    if events is not None:
        events = np.minimum((events + hop // 2) // hop, samples.shape[1] - 1)
    return _State(samples, np.repeat(np.stack(masks), step.n_mels, axis=0), events, rate / hop)


def _resize(_: Resize, state: _State, contract: Contract) -> _State:
    if contract.size is None or state.samples.shape[1:] == contract.size:
        return state
    samples = resize(state.samples, contract.size)
    return replace(state, samples=samples, valid=np.ones(samples.shape, dtype=bool))


_STEPS: dict[type, Callable[..., _State]] = {
    Resample: _resample,
    HighPass: _high_pass,
    LowPass: _low_pass,
    Notch: _notch,
    LogMel: _log_mel,
    Resize: _resize,
    Scale: _scale,
    Clip: _clip,
}


def _fit(state: _State, contract: Contract) -> Prepared:
    n, available = contract.input_shape[-1], state.samples.shape[1]
    length, surplus = min(n, available), max(available - n, 0)
    offset = {"start": 0, "centre": surplus // 2, "end": surplus}[contract.crop.where]
    samples = np.zeros(contract.input_shape, dtype=np.float32)
    samples[:, :length] = state.samples[:, offset : offset + length]
    valid = np.zeros(n, dtype=bool)
    valid[:length] = state.valid[:, offset : offset + length].all(axis=0)
    events = state.events
    if events is not None:
        events = events - offset
        events = np.where((events >= 0) & (events < length), events, -1).astype(np.int64)
    return Prepared(samples, length, valid, events, offset)


def _framed(state: _State, contract: Contract, size: tuple[int, int]) -> Prepared:
    samples, filled = place(state.samples, size, where=contract.crop.where)
    valid = np.zeros(size, dtype=bool)
    valid[filled] = True
    return Prepared(samples.astype(np.float32), valid.size, valid, None, 0)
