"""A network's text as a stack of blocks below a head, which can be cut to fewer blocks.

A block is a stage with weights of its own and the norms, nonlinearities and poolings that follow it; the head begins
where positions end. Knows plans; must not know shapes or tensors.
"""

from dataclasses import dataclass

from vicinal.errors import NetworkError
from vicinal.representations.network import resolve
from vicinal.representations.text import Plan, Stage

__all__ = ["Stack", "stack_of"]

_BLOCKS = {
    "dense", "local", "conv", "separable", "residual", "bottleneck", "inception", "lstm", "gru", "attention",
    "transformer", "minirocket",
}  # fmt: skip
_POOLS = {"mean", "max"}
_HEADS = {"mean-max", "last", "attention-pool", "flatten"}


@dataclass(frozen=True)
class Stack:
    """Blocks from the input on, and the head that stands on the last of them; repeated stages stand one by one."""

    blocks: tuple[tuple[Stage, ...], ...]
    head: tuple[Stage, ...]

    def ends(self) -> tuple[int, ...]:
        """Return for each block how many stages there are up to its end."""
        ends, n = [], 0
        for block in self.blocks:
            n += len(block)
            ends.append(n)
        return tuple(ends)

    def cut(self, n_blocks: int) -> str:
        """Return the text of the network with its first blocks alone, below the same head.

        What follows the last block, such as the final norm of a transformer, follows the new last one too, where
        nothing followed that.

        Raises:  NetworkError: when there are not that many blocks.
        """
        if not 1 <= n_blocks <= len(self.blocks):
            raise NetworkError(f"expected 1 to {len(self.blocks)} blocks to cut to, got {n_blocks}.")
        *kept, last = self.blocks[:n_blocks]
        if len(last) == 1:
            last = (*last, *self.blocks[-1][1:])
        stages = [stage for block in kept for stage in block] + [*last, *self.head]
        return str(Plan(tuple(stages)))


def stack_of(text: str | Plan) -> Stack:
    """Return the blocks and the head of a network.

    The head begins at the first pooling over all positions, or `flatten`; where there is neither, it is the last stage.

    Raises:  NetworkError: when the text cannot be parsed.
    """
    stages = [stage for _, stage in resolve(text).unrolled()]
    at = next((k for k, stage in enumerate(stages) if _is_head(stage)), len(stages) - 1)
    blocks: list[list[Stage]] = []
    waiting: list[Stage] = []
    for stage in stages[:at]:
        if stage.kind in _BLOCKS:
            blocks.append([*waiting, stage])
            waiting = []
        elif blocks:
            blocks[-1].append(stage)
        else:
            waiting.append(stage)
    return Stack(tuple(map(tuple, blocks)), (*waiting, *stages[at:]))


def _is_head(stage: Stage) -> bool:
    return stage.kind in _HEADS or (stage.kind in _POOLS and not dict(stage.sizes).get("window"))
