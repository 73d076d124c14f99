"""What chosen units give along one signal, beside what excites them elsewhere. Must not know packs or drawings."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32

from vicinal.representations.engine import choose
from vicinal.scores.detectors import Detectors
from vicinal.scores.model import Model

__all__ = ["Response", "responses"]

Response = Float32[np.ndarray, "*positions"]
"""What a unit gives at each of its positions within the signal; one number for a feature, or at a place of its own."""


def responses(
    model: Model,
    samples: Float32[np.ndarray, "channels *positions"],
    found: Detectors,
    *,
    length: int | None,
) -> Sequence[Sequence[Response]]:
    """Return what the units of `found` give for one signal, stage by stage and in their order, in float32.

    Args:    samples: prepared by the model's contract, in its full shape.  length: positions within the signal;
             None for images.
    """
    engine = choose(precision="float32", compiled=False)
    network = engine.place(model.build())
    x, lengths = samples[None], None if length is None else np.array([length])
    told: list[list[Response]] = []
    with torch.inference_mode():
        stages = network.walk(engine.tensor(x), engine.tensor(lengths))
        for stage, (_, values, left) in zip(found.stages, stages, strict=True):
            row = values[0].float().cpu().numpy()
            real = row if left is None or row.ndim == 1 else row[..., : int(left[0])]
            told.append(
                [(row if unit.place else real)[(unit.channel, *(unit.place or ()))] for unit in stage.units]
            )
    return told
