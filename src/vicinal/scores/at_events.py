"""Scores at events: one row of a table for each event of a recording, from packs, files or memory.

All ways go through the same chunks, so the same event gets the same bits. Knows scorers, packs and signals; must not
know thresholds, metrics or training.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64

from vicinal.errors import ContractError, FormatError
from vicinal.inputs.pack import Pack
from vicinal.inputs.prepare import Prepared, prepare
from vicinal.scores.scorer import Scorer
from vicinal.scoretable import Role, ScoreTable
from vicinal.signal import Signal

__all__ = [
    "AtEvents",
    "event_ids",
    "joined",
    "score_pack_at_events",
    "score_signals_at_events",
    "scored_at_events",
]


@dataclass(frozen=True)
class AtEvents:
    """The scores at the events of one recording.

    Args:    record: its id.  positions: (m,) of the network's input.  position_s: (m,) seconds of the recording.
             symbols: (m,).  logits: (m, K).
    """

    record: str
    positions: Int64[np.ndarray, " m"]
    position_s: Float64[np.ndarray, " m"]
    symbols: np.ndarray
    logits: Float64[np.ndarray, "m k"] = field(repr=False)


def score_pack_at_events(
    scorer: Scorer, pack: Pack, indices: Int64[np.ndarray, " m"], *, role: Role, split_hash: str = ""
) -> ScoreTable:
    """Score the events of some rows of a pack, with their truth, subjects and the columns of their row.

    Returns: one row an event, with the columns `record`, `position_s` (seconds from the first position of the
             network's input) and `symbol`; the truth of an event whose symbol has no class is unknown.
    Raises:  FormatError: when the rows have no events.
    """
    positions = scorer.positions
    assert positions is not None  # whoever calls has looked
    targets = pack.targets(indices)
    if not len(targets):
        raise FormatError("scoring a pack: its rows have no events. Pack recordings that are annotated.")
    logits = np.empty((len(targets), len(pack.classes)))
    for row in np.unique(targets.rows):
        of_row = np.flatnonzero(targets.rows == row)

        def read(start: int, stop: int, row: int = int(row)) -> np.ndarray:
            return pack.piece(row, start, stop)

        logits[of_row] = positions.logits(read, int(pack.lengths[row]), targets.positions[of_row])
    records = pack.ids[targets.rows]
    rate_hz = scorer.contract.position_rate_hz or 1.0
    columns = {name: column[targets.rows] for name, column in pack.columns.items()}
    return scorer.table(
        logits,
        ids=event_ids(records, targets.positions),
        role=role,
        truth=targets.truth(len(pack.classes)),
        subjects=None if pack.subjects is None else pack.subjects[targets.rows],
        columns={
            **columns,
            "record": records,
            "position_s": targets.positions / rate_hz,
            "symbol": targets.symbols,
        },
        split_hash=split_hash,
    )


def score_signals_at_events(scorer: Scorer, signals: Iterable[Signal], *, role: Role) -> ScoreTable:
    """Prepare and score the events of signals, one at a time.

    Raises:  ContractError: for the first signal that cannot be made to fit the contract, or has no events.
    """
    return joined(
        scorer, [scored_at_events(scorer, signal, record=signal.id) for signal in signals], role=role
    )


def scored_at_events(scorer: Scorer, signal: Signal, *, record: str) -> AtEvents:
    """Prepare one signal and score it at its events.

    Args:    record: what to call it.
    Raises:  ContractError: when it cannot be made to fit the contract, or has no events there.
    """
    prepared = prepare(signal, scorer.contract)
    return _at_events(scorer, signal, prepared, record)


def joined(scorer: Scorer, found: Sequence[AtEvents], *, role: Role) -> ScoreTable:
    """Return the scores of several recordings as one table, without truth."""
    records = np.repeat(
        np.array([one.record for one in found], dtype=str), [len(one.positions) for one in found]
    )
    columns: Mapping[str, np.ndarray] = {
        "record": records,
        "position_s": np.concatenate([one.position_s for one in found]),
        "symbol": np.concatenate([one.symbols for one in found]),
    }
    return scorer.table(
        np.concatenate([one.logits for one in found]),
        ids=event_ids(records, np.concatenate([one.positions for one in found])),
        role=role,
        columns=columns,
    )


def event_ids(records: np.ndarray, positions: Int64[np.ndarray, " m"]) -> np.ndarray:
    """Return RECORD-POSITION for each event; of several at one place the second is RECORD-POSITION-2, and so on."""
    seen: dict[str, int] = {}
    found = []
    for record, position in zip(records.tolist(), positions.tolist(), strict=True):
        name = f"{record}-{position}"
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return np.array(found, dtype=str)


def _at_events(scorer: Scorer, signal: Signal, prepared: Prepared, record: str) -> AtEvents:
    positions = scorer.positions
    assert positions is not None  # whoever calls has looked
    events, places = signal.events, prepared.event_positions
    inside = np.empty(0, np.int64) if places is None else np.flatnonzero(places >= 0)
    if events is None or places is None or not len(inside):
        raise ContractError(
            f"recording {record!r}: this model answers at events, and there are none in what it takes of it. "
            "Put the annotation file beside it (RECORD.atr), or name its events in a table."
        )

    def read(start: int, stop: int) -> np.ndarray:
        return prepared.samples[:, start:stop]

    rate_hz = scorer.contract.position_rate_hz or 1.0
    return AtEvents(
        record=record,
        positions=places[inside],
        position_s=(prepared.offset + places[inside]) / rate_hz,
        symbols=np.array([events.symbols[k] for k in inside], dtype=str),
        logits=positions.logits(read, prepared.length, places[inside]),
    )
