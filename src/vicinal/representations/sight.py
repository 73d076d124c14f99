"""Sight: which input positions an output of a network sees, so that a long recording can go through it in pieces.

A piece that holds all that an output sees gives the same output as the whole recording, to rounding. Knows shapes;
must not know recordings, losses or files.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int64

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Path, compose
from vicinal.representations.network import Network, build

__all__ = ["Sight", "at_length", "sight_of"]


@dataclass(frozen=True)
class Sight:
    """What an output sees: output j stands for position j * stride, and sees from left of it to right of it.

    Args:    stride: positions from one output to the next.  left, right: how far an output sees to either side
             (negative: not as far as its own place).  paths: one way through each layer.
    """

    stride: int
    left: int
    right: int
    paths: tuple[Path, ...] = field(repr=False)

    def count(self, n: int) -> int:
        """Return how many outputs there are for n positions."""
        for path in self.paths:
            for step in path:
                n = step[0].count(n)
        return n

    def read(self, positions: Int64[np.ndarray, " m"], n: int) -> Int64[np.ndarray, " m"]:
        """Return the output that each of these positions, of n, reads: the nearest, the later of two."""
        return np.asarray(np.minimum((positions + self.stride // 2) // self.stride, self.count(n) - 1))


def sight_of(network: Network) -> Sight:
    """Return what an output of a network along time sees.

    Raises:  NetworkError: when it gives one answer for a whole recording, a stage sees all of it, or has weights of
             its own at each place.
    """
    advice = (
        "end it with 'conv classes window 1', after convolutions, norms over the batch and windows of pools"
    )
    place = (1, 0, 0)
    paths: list[Path] = []
    for number, (name, layer) in enumerate(zip(network.stage_texts, network.layers(), strict=True), start=1):
        facts = layer.facts
        if len(network.input_shape) != 2 or len(facts.shape) < 2:
            raise NetworkError(
                f"answers at events need outputs along time, and stage {number}, '{name}', leaves none; {advice}."
            )
        if facts.paths is None or facts.state_values is None:
            why = facts.no_stream if facts.state_values is None else "sees all that came before"
            raise NetworkError(
                f"answers at events need outputs that see a stretch of the recording; stage {number}, '{name}', {why}; "
                f"{advice}."
            )
        place = compose(facts.paths, 0, place)
        paths.append(facts.paths[0])
    return Sight(*place, tuple(paths))


def at_length(network: Network, n: int) -> Network:
    """Return the network for inputs of n positions, with the same weights; `sight_of` says whether there is one.

    Raises:  NetworkError: when a window does not fit into n positions.
    """
    shape = (network.input_shape[0], n)
    made = build(network.plan, input_shape=shape, n_outputs=network.n_outputs, seed=0)
    made.load_state_dict(network.state_dict())
    return made.train(network.training)
