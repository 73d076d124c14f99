"""A network that fits an input and the number of its examples, as text.

One rule: a stem brings the positions down to about a thousand, residual blocks halve them until a unit sees a good
part of the signal, and the width follows the number of training rows. Knows shapes; must not know data.
"""

from dataclasses import dataclass

from vicinal.representations.inspection import Inspection, inspect

__all__ = ["ProposedNetwork", "propose_network"]

_MOST_POSITIONS = 1000
_FEWEST_POSITIONS = 12
_MOST_BLOCKS = 5


@dataclass(frozen=True)
class ProposedNetwork:
    """A network text, what it costs, and why it is so."""

    text: str
    inspection: Inspection
    why: str


def propose_network(
    input_shape: tuple[int, ...], *, n_train: int, n_outputs: int, rate_hz: float | None
) -> ProposedNetwork:
    """Propose a network.

    Args:    input_shape: (channels, time) or (channels, height, width).  n_train: rows to train on.
             n_outputs: logits.  rate_hz: of the positions, for the words.
    """
    positions = min(input_shape[1:])
    is_image = len(input_shape) == 3
    first, last = (16, 32) if n_train < 300 else (32, 64) if n_train < 3000 else (32, 128)
    stride = 1 if is_image else -(-positions // _MOST_POSITIONS)
    window = 3 if is_image or positions < 48 else max(7, 4 * stride - 1)
    left = -(-positions // stride)
    stages = [
        f"conv {first} window {window}" + (f" stride {stride}" if stride > 1 else "") + " same | norm | relu"
    ]
    block = 3 if is_image or positions < 48 else 5
    smallest = 4 if is_image else _FEWEST_POSITIONS
    n_blocks = 0
    while n_blocks < _MOST_BLOCKS and left >= 2 * smallest:
        n_blocks, left = n_blocks + 1, -(-left // 2)
        width = min(last, first * 2 ** (n_blocks // 2))
        stages.append(f"residual {width} window {block} stride 2")
    if not n_blocks:
        stages.append(f"residual {last} window {block}")
    text = "\n".join([*stages, "mean-max | dropout 0.3 | dense classes"])
    found = inspect(text, input_shape=input_shape, rate_hz=rate_hz, n_outputs=n_outputs)
    size = "small" if n_train < 300 else "of middle size" if n_train < 3000 else "wide"
    why = f"{size} for {n_train:,} training rows; its blocks end with {left} positions of {positions:,}"
    return ProposedNetwork(text, found, why)
