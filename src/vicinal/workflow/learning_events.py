"""What training on events needs in place of rows: segments as batches, and validation at the events."""

from collections.abc import Callable
from typing import cast

import numpy as np
from torch import nn

from vicinal.decisions.calibration import identity
from vicinal.errors import ExperimentError
from vicinal.evidence.following import following
from vicinal.inputs.contract import Contract
from vicinal.inputs.pack import Pack
from vicinal.inputs.segments import Segments
from vicinal.representations.engine import Engine
from vicinal.representations.network import Network
from vicinal.representations.sight import sight_of
from vicinal.scores.at_events import score_pack_at_events
from vicinal.scores.scorer import make_scorer
from vicinal.training.config import TrainingConfig

__all__ = ["segments_of", "validation_at_events", "width_of"]


def width_of(contract: Contract, config: TrainingConfig) -> int:
    """Return the positions of a training segment: those of the network's input where that is shorter."""
    return max(1, min(round(config.segment_s * (contract.position_rate_hz or 0.0)), contract.input_shape[-1]))


def segments_of(
    pack: Pack, train: np.ndarray, network: Network, *, contract: Contract, config: TrainingConfig, seed: int
) -> Segments:
    """Return the training batches of a task on events.

    Raises:  ExperimentError: as `Segments`.
    """
    return Segments(
        pack,
        train,
        width=width_of(contract, config),
        sight=sight_of(network),
        batch=config.batch,
        seed=seed,
        augment=config.augment,
        rate_hz=contract.position_rate_hz,
        n_signal=len(contract.sampled_channels),
    )


def validation_at_events(
    pack: Pack, indices: np.ndarray, *, contract: Contract, engine: Engine, select: str
) -> Callable[[nn.Module], dict[str, float]]:
    """Return the validation metrics of a network, at all events of the rows at `indices`.

    Raises:  ExperimentError: when these rows have no event of a class.
    """
    if not (pack.targets(indices).classes >= 0).any():
        raise ExperimentError(
            "training on events: the validation rows hold no event of a class, so nothing could choose the weights. "
            "Give validation a larger share."
        )
    raw = identity("classes", pack.classes)

    def validate(network: nn.Module) -> dict[str, float]:
        scorer = make_scorer(cast(Network, network), engine=engine, contract=contract, calibration=raw)
        return following(score_pack_at_events(scorer, pack, indices, role="validation"), select=select)

    return validate
