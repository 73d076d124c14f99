"""What the rooms make is what training takes; mypy holds the types, this the fields."""

import numpy as np

from vicinal.inputs.batches import ArrayRows, Batches
from vicinal.representations.engine import Engine
from vicinal.training import passed


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_what_the_rooms_make_has_what_training_needs() -> None:
    rows = ArrayRows(np.zeros((4, 1, 5), np.float32), np.full(4, 5), np.zeros((4, 1)))
    batches = Batches(rows, np.arange(4), batch=2, seed=0)
    for protocol, made in (
        (passed.Batches, batches),
        (passed.Batch, next(batches.epoch(0))),
        (passed.Engine, Engine()),
    ):
        assert members(protocol)
        assert all(hasattr(made, name) for name in members(protocol))
