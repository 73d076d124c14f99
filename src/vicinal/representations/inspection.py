"""What a network is, before any training: shapes, parameters, cost, and what each unit sees.

Everything is derived from the text and the input shape alone, on the meta device: no weights, no data.
The layers state the facts of their place; this module adds them up and traces windows back to the input.
"""

from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Int

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Facts, Path, Shape, compose, n_values
from vicinal.representations.network import Network, sketch
from vicinal.representations.text import Plan

__all__ = ["Inspection", "StageInspection", "inspect", "seen_by", "window_of", "windows_of"]

Field = int | tuple[int, ...]
"""Samples along time, or (height, width) for images."""

_BYTES = 4  # of a float32


@dataclass(frozen=True)
class StageInspection:
    """One stage in its place; repeated stages stand one by one.

    Args:    text: as written.  shape: what leaves it, (channels, *positions) or (features,).
             parameters: learnt numbers.  multiply_adds: for one signal.
             receptive_field_samples: the input samples that one unit sees (borders aside, at most all).
             receptive_field_ms, receptive_field_heartbeats: the same in time; None where that is not known.
             activation_bytes: of what leaves it for one signal, in float32.
    """

    text: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field_samples: Field
    receptive_field_ms: float | None
    receptive_field_heartbeats: float | None
    activation_bytes: int


@dataclass(frozen=True)
class Inspection:
    """A whole network in its place.

    Args:    parameters: learnt numbers.
             multiply_adds: of windows and matrix products for one signal; FLOP are twice as many.
             receptive_field_samples: what one unit of the last stage that still has positions sees: what the
             head pools. All samples where no stage has positions.
             receptive_field_ms: 1000 * samples / rate; None without a rate.
             receptive_field_heartbeats: the same in heartbeats; None without a heart rate.
             activation_bytes: of what leaves all stages for one signal, in float32: what training keeps of it
             at least (blocks keep more inside).
             streamable: whether it can run as a step function with a finite state;
             why_not_streamable: the first stage that forbids it, or "".
             delay_ms: how far ahead of its own place (position * total stride) an output looks; None when not
             streamable or without a rate.
             state_values: numbers that a stream keeps between steps; None when not streamable.
             dense_equivalent_parameters: of dense layers between the same values: no locality, no sharing.
             stages: one by one.
    """

    text: str
    input_shape: tuple[int, ...]
    rate_hz: float | None
    parameters: int
    multiply_adds: int
    receptive_field_samples: Field
    receptive_field_ms: float | None
    receptive_field_heartbeats: float | None
    activation_bytes: int
    streamable: bool
    why_not_streamable: str
    delay_ms: float | None
    state_values: int | None
    dense_equivalent_parameters: int
    stages: tuple[StageInspection, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; the keys are the fields' names."""
        return asdict(self)


def inspect(
    text: str | Plan,
    *,
    input_shape: tuple[int, ...],
    rate_hz: float | None,
    n_outputs: int = 1,
    heart_rate_per_min: float | None = None,
) -> Inspection:
    """Say what a network is for signals of this shape.

    Args:    text: a network text, a plan, or the name of a preset.  input_shape: (channels, *positions).
             rate_hz: samples a second, > 0, or None.  n_outputs: what `classes` stands for.
             heart_rate_per_min: of heartbeats to count windows in, > 0; None for what is no ECG.
    Raises:  NetworkError: the text cannot be parsed or does not fit the shape, or the rate is not above 0.
    """
    if rate_hz is not None and not 0 < rate_hz < float("inf"):
        raise NetworkError(
            f"expected a rate above 0 Hz, got {rate_hz}; give the rate of what enters the network."
        )
    network = sketch(text, input_shape=input_shape, n_outputs=n_outputs)
    facts = [layer.facts for layer in network.layers()]
    fields = _fields(facts, input_shape)
    with_positions = [field for field, one in zip(fields, facts, strict=True) if len(one.shape) > 1]
    field = with_positions[-1] if with_positions else input_shape[1:]
    counts = [sum(parameter.numel() for parameter in part.parameters()) for part in network.children()]
    why = _why_not_streamable(network, facts)
    in_ms = None if rate_hz is None or len(input_shape) > 2 else 1000.0 / rate_hz
    in_beats = None if in_ms is None or heart_rate_per_min is None else in_ms * heart_rate_per_min / 60_000
    stages = tuple(
        StageInspection(
            text=name,
            shape=one.shape,
            parameters=count,
            multiply_adds=one.multiply_adds,
            receptive_field_samples=_plain(seen),
            receptive_field_ms=_times(seen, in_ms),
            receptive_field_heartbeats=_times(seen, in_beats),
            activation_bytes=_BYTES * n_values(one.shape),
        )
        for name, one, count, seen in zip(network.stage_texts, facts, counts, fields, strict=True)
    )
    return Inspection(
        text=network.text,
        input_shape=network.input_shape,
        rate_hz=rate_hz,
        parameters=sum(counts),
        multiply_adds=sum(one.multiply_adds for one in facts),
        receptive_field_samples=_plain(field),
        receptive_field_ms=_times(field, in_ms),
        receptive_field_heartbeats=_times(field, in_beats),
        activation_bytes=sum(stage.activation_bytes for stage in stages),
        streamable=not why,
        why_not_streamable=why,
        delay_ms=None if in_ms is None or why else _delay(facts) * in_ms,
        state_values=None if why else sum(cast(int, one.state_values) for one in facts),
        dense_equivalent_parameters=sum(one.dense_parameters for one in facts),
        stages=stages,
    )


def window_of(
    text: str | Plan, input_shape: tuple[int, ...], stage: int, position: int, *, n_outputs: int = 1
) -> tuple[int, int]:
    """Return the input samples, [start, stop), that one unit of a 1-D network sees; borders cut it short.

    Args:    stage: index into `Inspection.stages` and `Network.stages`, from 0.
             position: of the unit, from 0; the number of the feature once positions are gone.
    Returns: (start, stop) with 0 <= start < stop <= samples.
    Raises:  NetworkError: the network is not 1-D, or it has no such stage or position.
    """
    network = sketch(text, input_shape=input_shape, n_outputs=n_outputs)
    if len(input_shape) != 2:
        raise NetworkError(
            f"expected an input shape (channels, time), got {input_shape}; windows are along time."
        )
    return seen_by(network, stage, (position,))[0]


def windows_of(
    text: str | Plan, input_shape: tuple[int, ...], *, n_outputs: int = 1, most: int = 200
) -> list[tuple[Int[np.ndarray, "m axes"], Int[np.ndarray, "m axes 2"]]]:
    """Return, for every stage, places evenly taken and what `seen_by` says of each.

    Args:    most: places a stage along time, at least 1; for images about its root along each axis.
    Returns: per stage the places (one number for features, else one for each axis) and their windows.
    Raises:  NetworkError: when the network does not fit the shape.
    """
    network = sketch(text, input_shape=input_shape, n_outputs=n_outputs)
    found = []
    for index, layer in enumerate(network.layers()):
        shape = layer.facts.shape
        positions = shape[1:] or shape
        each = max(1, round(most ** (1 / len(positions))))
        along = [np.unique(np.linspace(0, n - 1, min(n, each)).round().astype(int)) for n in positions]
        places = np.stack(np.meshgrid(*along, indexing="ij"), axis=-1).reshape(-1, len(positions))
        seen = [seen_by(network, index, tuple(place)) for place in places.tolist()]
        found.append((places, np.array(seen)))
    return found


def seen_by(network: Network, stage: int, place: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Return the input samples that one unit of a network sees, [start, stop) for each axis.

    Borders cut it short.

    Args:    stage: index into `Inspection.stages` and `Network.stages`, from 0.
             place: the position of the unit along each axis, or the number of the feature once positions are gone.
    Raises:  NetworkError: when the network has no such stage or place.
    """
    facts = [layer.facts for layer in network.layers()]
    if not 0 <= stage < len(facts):
        raise NetworkError(
            f"expected a stage from 0 to {len(facts) - 1}, got {stage}; the network has no other."
        )
    shape = facts[stage].shape
    for position, n in zip(place, shape[1:] or shape, strict=True):
        if not 0 <= position < n:
            raise NetworkError(
                f"stage {stage + 1}, '{network.stage_texts[stage]}': expected a position from 0 to {n - 1}, "
                f"got {position}; the stage has no other."
            )
    input_shape, facts = network.input_shape, facts[: stage + 1]
    windows = []
    for axis in range(len(input_shape) - 1):
        at = np.array([place[min(axis, len(place) - 1)]])
        seen = _trace_back(facts, at, axis=axis, input_shape=input_shape)
        # A wide dilation over few positions can fall on padding alone.
        windows.append((int(seen[0]), int(seen[-1]) + 1) if len(seen) else (0, 0))
    return tuple(windows)


def _fields(facts: list[Facts], input_shape: Shape) -> list[tuple[int, ...]]:
    """Return the receptive field of each stage along each axis."""
    along = [_fields_along(facts, axis, input_shape) for axis in range(len(input_shape) - 1)]
    return list(zip(*along, strict=True))


def _fields_along(facts: list[Facts], axis: int, input_shape: Shape) -> list[int]:
    """Return each stage's field along one axis: an output p sees [p * stride - left, p * stride + right]."""
    fields: list[int] = []
    stride, left, right = 1, 0, 0
    whole: int | None = None
    for index, one in enumerate(facts):
        if one.paths is None and whole is None:  # every unit sees every position: trace them all back
            last = np.array([one.shape[-1] - 1])  # of those that see only what lies before them, the widest
            seen = _trace_back(facts[: index + 1], last, axis=axis, input_shape=input_shape)
            whole = int(seen[-1] - seen[0]) + 1
        if whole is None:
            stride, left, right = compose(cast(tuple[Path, ...], one.paths), axis, (stride, left, right))
        fields.append(min(left + right + 1, input_shape[axis + 1]) if whole is None else whole)
    return fields


def _trace_back(
    facts: list[Facts], positions: Int[np.ndarray, " n"], *, axis: int, input_shape: Shape
) -> Int[np.ndarray, " m"]:
    """Return the input positions that these output positions of the last stage see, exactly."""
    for index in range(len(facts) - 1, -1, -1):
        shape = facts[index - 1].shape if index else input_shape
        n, paths = shape[min(axis + 1, len(shape) - 1)], facts[index].paths
        if paths is None:
            stop = int(positions.max()) + 1 if facts[index].past_only else n
            positions = np.arange(shape[0] if len(shape) == 1 else stop)
            continue
        if len(facts[index].shape) < len(shape):  # flatten: each feature was one position
            positions = np.unique(np.unravel_index(positions, shape)[axis + 1])
            continue
        found = [_trace_path(path, positions, axis=axis, n=n) for path in paths]
        positions = np.unique(np.concatenate(found))
    return positions


def _trace_path(path: Path, positions: Int[np.ndarray, " n"], *, axis: int, n: int) -> Int[np.ndarray, " m"]:
    counts = [n]
    for step in path[:-1]:
        counts.append(step[axis].count(counts[-1]))
    for step, count in zip(reversed(path), reversed(counts), strict=False):
        positions = step[axis].sources(positions, count)
    return positions


def _why_not_streamable(network: Network, facts: list[Facts]) -> str:
    if len(network.input_shape) > 2:
        return "an image has no time axis"
    for number, (name, one) in enumerate(zip(network.stage_texts, facts, strict=True), start=1):
        if one.state_values is None:
            return f"stage {number}, '{name}', {one.no_stream}"
    return ""


def _delay(facts: list[Facts]) -> int:
    place = (1, 0, 0)
    for one in facts:
        if one.paths is None and not one.past_only:
            break
        place = compose(one.paths or ((),), 0, place)
    return place[2]


def _times(field: tuple[int, ...], unit: float | None) -> float | None:
    return None if unit is None else field[0] * unit


def _plain(field: tuple[int, ...]) -> Field:
    return field[0] if len(field) == 1 else field
