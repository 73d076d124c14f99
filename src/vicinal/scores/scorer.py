"""Scorer: one network made ready to score, in one precision, a fixed number of rows at a time.

Every score of a model goes through it, from packs, files or memory, and always with lengths, so that a
recording gets the same bits whichever way it comes. Knows networks, contracts and calibration; must not know
packs, files or thresholds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from jaxtyping import Float32, Float64, Int64

from vicinal.decisions.calibration import Calibration
from vicinal.errors import FormatError
from vicinal.inputs.contract import Contract
from vicinal.inputs.prepare import Prepared, prepare
from vicinal.representations.engine import Engine
from vicinal.representations.network import Network
from vicinal.scores.positions import Positions, make_positions
from vicinal.scoretable import Role, ScoreTable
from vicinal.signal import Signal

__all__ = ["BATCH", "Scorer", "make_scorer", "stacked"]

BATCH = 32
"""Rows computed at a time, everywhere: a fixed shape is what makes a score independent of its batch-mates."""

Logits = Float64[np.ndarray, "rows outputs"]


@dataclass(frozen=True)
class Scorer:
    """From network inputs to logits, and from logits to a table.

    Attributes: contract: what a signal must be.  calibration: task, classes and the map to probabilities.
                model_hash: of the model.  precision: in which products are computed.
                fitted_precision: in which calibration and policy were fitted.
                positions: of a network that answers at events of a recording, what does; None for others.
    """

    contract: Contract
    calibration: Calibration
    model_hash: str
    precision: str
    fitted_precision: str
    compute: Callable[[np.ndarray, np.ndarray | None], np.ndarray] = field(repr=False)
    positions: Positions | None = field(default=None, repr=False)

    def logits(
        self, x: Float32[np.ndarray, "rows channels *positions"], lengths: Int64[np.ndarray, " rows"]
    ) -> Logits:
        """Return the logits of prepared rows.

        Raises:  FormatError: when the rows are not of the contract's shape, or the model answers at events.
        """
        if self.positions is not None:
            raise FormatError(
                "scoring: this model answers at the events of a recording, not for a recording as a whole. Score "
                "files or packs that have annotations."
            )
        if x.shape[1:] != self.contract.input_shape or lengths.shape != x.shape[:1]:
            shape = ", ".join(map(str, ("rows", *self.contract.input_shape)))
            raise FormatError(
                f"scoring: expected rows of shape ({shape}) with one length each, got {x.shape} with lengths "
                f"{lengths.shape}. Prepare signals by the model's contract."
            )
        # An image is always whole, and layers over images take no lengths.
        return self.compute(x, lengths if x.ndim == 3 else None).astype(np.float64)

    def signals(self, signals: Iterable[Signal]) -> tuple[list[str], Logits]:
        """Prepare and score signals, a batch in memory at a time.

        Returns: ids (the position in the stream where a signal has none), logits (n, K).
        Raises:  ContractError: for the first signal that cannot be made to fit the contract.
        """
        ids: list[str] = []
        parts = [np.empty((0, len(self.calibration.classes)))]
        for group in _groups(signals, BATCH):
            ids += [signal.id or str(len(ids) + k) for k, signal in enumerate(group)]
            parts.append(self.logits(*stacked([prepare(signal, self.contract) for signal in group])))
        return ids, np.concatenate(parts)

    def table(
        self,
        logits: Logits,
        *,
        ids: np.ndarray | list[str],
        role: Role,
        truth: Float64[np.ndarray, "rows outputs"] | None = None,
        subjects: np.ndarray | None = None,
        columns: Mapping[str, np.ndarray] | None = None,
        split_hash: str = "",
    ) -> ScoreTable:
        """Return the score table of these logits, calibrated; truth is unknown where none is given."""
        return ScoreTable(
            task=self.calibration.task,
            classes=self.calibration.classes,
            role=role,
            ids=np.asarray(ids, dtype=str),
            truth=np.full(logits.shape, np.nan) if truth is None else truth,
            logits=logits,
            probabilities=self.calibration.apply(logits),
            subjects=subjects,
            columns=columns or {},
            model_hash=self.model_hash,
            split_hash=split_hash,
            precision=self.precision,
        )


def make_scorer(
    network: Network,
    *,
    engine: Engine,
    contract: Contract,
    calibration: Calibration,
    model_hash: str = "",
    fitted_precision: str = "",
) -> Scorer:
    """Return the scorer of a network on an engine; this is what validation during training uses too."""
    at_events = len(list(network.layers())[-1].facts.shape) > 1 if isinstance(network, Network) else False
    return Scorer(
        contract=contract,
        calibration=calibration,
        model_hash=model_hash,
        precision=engine.precision,
        fitted_precision=fitted_precision or engine.precision,
        compute=engine.scorer(network, batch=BATCH),
        positions=make_positions(network, shape=contract.input_shape, engine=engine) if at_events else None,
    )


def _groups(signals: Iterable[Signal], size: int) -> Iterator[list[Signal]]:
    stream = iter(signals)
    while group := list(islice(stream, size)):
        yield group


def stacked(
    rows: list[Prepared],
) -> tuple[Float32[np.ndarray, "rows channels *positions"], Int64[np.ndarray, " rows"]]:
    """Return prepared signals as one batch, with their lengths."""
    return np.stack([row.samples for row in rows]), np.array([row.length for row in rows], dtype=np.int64)
