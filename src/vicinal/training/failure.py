"""NotFinite: a loss, gradient or weight that is no number, and the words for it.

Must not know what is done about it.
"""

import math
from collections.abc import Sequence

__all__ = ["NotFinite"]


class NotFinite(Exception):  # noqa: N818 - caught within training: a step that has to be taken back
    """Something that must be a number was not.

    Args:    step: counted from 1.  loss, norm, rate: as recorded there.
             stages: whose weights were not finite afterwards.
    """

    def __init__(
        self, *, step: int, loss: float, norm: float, rate: float, stages: Sequence[str] = ()
    ) -> None:
        self.step, self.loss, self.norm, self.rate, self.stages = step, loss, norm, rate, tuple(stages)
        super().__init__(self.what)

    @property
    def what(self) -> str:
        """What was not finite, the first of it."""
        if not math.isfinite(self.loss):
            return "loss"
        return "gradient" if not math.isfinite(self.norm) else "weights"

    def message(self, *, n_rollbacks: int) -> str:
        """Return what happened and what to do, when training cannot go on."""
        found = f"loss {self.loss:g} and gradient norm {self.norm:g}"
        if self.what == "weights":
            found += f", after which weights of {', '.join(self.stages)} were not finite,"
        before = (
            f", after going back {n_rollbacks} times, each time with half the learning rate"
            if n_rollbacks
            else ""
        )
        return (
            f"training stopped at step {self.step}{before}: expected a finite loss, gradient and weights, got {found} "
            f"at learning rate {self.rate:.3g}. Try a third of the learning rate; if the first steps already fail, "
            "look for recordings with extreme values (scale or clip in the contract), or use "
            'precision = "float32".'
        )
