"""Snapshot: a copy in memory of a run's state at a step where everything was finite, to go back to.

Knows arrays and counts; must not know why a run goes back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

__all__ = ["EVERY", "Snapshot"]

EVERY = 1000
"""Steps after which another one is taken, when no validation has taken one."""


@dataclass(frozen=True)
class Snapshot:
    """The state after `n_done` steps.

    Args:    arrays: of the learner.  n_done: steps taken.  n_noted: steps since the last validation that the monitor
             had noted.
    """

    arrays: Mapping[str, np.ndarray] = field(repr=False)
    n_done: int
    n_noted: int

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], *, n_done: int, n_noted: int) -> "Snapshot":
        """Return a snapshot of copies, which later steps leave alone."""
        return cls({name: np.array(array) for name, array in arrays.items()}, n_done, n_noted)
