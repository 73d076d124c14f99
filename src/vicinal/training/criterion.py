"""The loss of one run: that of its task, with the class weights that its training rows ask for.

Knows configuration and batches; must not know networks.
"""

import numpy as np

from vicinal.errors import ExperimentError
from vicinal.training.config import TrainingConfig
from vicinal.training.loss import Loss, balanced_weights, make_loss
from vicinal.training.passed import Batches, Engine

__all__ = ["criterion"]


def criterion(batches: Batches, *, config: TrainingConfig, task: str, engine: Engine) -> Loss:
    """Return the loss that a configuration asks for.

    Raises:  ExperimentError: when the class weights do not fit the outputs.
             TrainingError: when they cannot be balanced, or the task has no loss.
    """
    weights = config.class_weights
    gamma = config.focal_gamma if config.loss == "focal" else 0.0
    if weights == "none":
        return make_loss(task, smoothing=config.label_smoothing, gamma=gamma)
    first = next(iter(batches.epoch(0))).y
    if weights == "balanced":
        values = balanced_weights(np.concatenate([batch.y for batch in batches.epoch(0)]), task=task)
    else:
        values = np.asarray(weights)
    if values.shape != first.shape[1:2]:
        raise ExperimentError(
            f"training.class_weights: expected {first.shape[1]} numbers, one a class, got {len(values)}."
        )
    given = engine.tensor(values.astype(np.float32))
    return make_loss(task, weights=given, smoothing=config.label_smoothing, gamma=gamma)
