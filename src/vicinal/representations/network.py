"""Network text + input shape -> a torch module.

The network knows its stages and their shapes. It does not know data sets, losses, devices, precision or
memory layout: whoever places it decides those.
"""

import math
from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Shape
from vicinal.representations.layers.lengths import past, wide
from vicinal.representations.layers.minirocket import MiniRocket
from vicinal.representations.layers.table import Layer, Place, make_layer
from vicinal.representations.presets import NETWORKS
from vicinal.representations.text import KINDS, Plan, nearest, parse

__all__ = ["Network", "build", "resolve", "sketch"]

MAX_PARAMETERS = 1_000_000_000


def build(
    text: str | Plan, *, input_shape: tuple[int, ...], n_outputs: int, seed: int | None = None
) -> "Network":
    """Build a network with fresh weights, in float32 on the CPU, in training mode.

    Args:    text: a network text, a parsed plan, or the name of a preset.
             input_shape: (channels, time) or (channels, height, width), each at least 1.
             n_outputs: what `classes` stands for: 1 for a binary task.
             seed: of the initial weights; None draws another one each time. No global seed is touched.
    Returns: the network; its logits are (batch, n_outputs), with positions behind when it ends in `conv`.
    Raises:  NetworkError: the text cannot be parsed, or a stage does not fit the shape that reaches it.
    """
    network = sketch(text, input_shape=input_shape, n_outputs=n_outputs)
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    network.to_empty(device="cpu")
    for layer in network.layers():
        layer.initialise(generator)
    return network


def sketch(text: str | Plan, *, input_shape: tuple[int, ...], n_outputs: int) -> "Network":
    """Build a network on the meta device: every shape and no values, in no time. Arguments as for `build`.

    Raises:  NetworkError: as for `build`.
    """
    plan = resolve(text)
    if len(input_shape) not in (2, 3) or any(n < 1 for n in input_shape):
        raise NetworkError(
            f"expected an input shape (channels, time) or (channels, height, width) of numbers from 1, "
            f"got {tuple(input_shape)}; give the shape of one signal, without the batch."
        )
    if n_outputs < 1:
        raise NetworkError(f"expected at least 1 output, got {n_outputs}; a binary task has 1.")
    with torch.device("meta"):
        layers = _make_layers(plan, tuple(input_shape), n_outputs)
    network = Network(plan, layers, input_shape=tuple(input_shape), n_outputs=n_outputs)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    if n_parameters > MAX_PARAMETERS:
        raise NetworkError(
            f"the network would have {n_parameters:,} parameters, more than the {MAX_PARAMETERS:,} that can "
            f"be built; use fewer units, or larger strides before 'flatten', 'local' or 'dense'."
        )
    return network


def resolve(text: str | Plan) -> Plan:
    """Return the plan of a text, a plan or the name of a preset.

    Raises:  NetworkError: the text cannot be parsed, or no preset has this name.
    """
    if isinstance(text, Plan):
        return text
    name = text.strip()
    if name in NETWORKS:
        return parse(NETWORKS[name])
    if name.replace("-", "").replace("_", "").isalnum() and name not in KINDS:
        raise NetworkError(
            f"'{name[:80]}': neither a preset nor a stage, {nearest(name, [*NETWORKS, *KINDS])} "
            f"Presets: {', '.join(NETWORKS)}."
        )
    return parse(text)


class Network(nn.Module):
    """A network in its place. Made by `build`; its modules are named `<index>.<kind>`, counted from 0.

    Args:    plan: what it was built from.  layers: one per stage, repeated stages unrolled.
             input_shape: (channels, *positions).  n_outputs: channels of the logits.
    """

    def __init__(
        self, plan: Plan, layers: list[Layer], *, input_shape: tuple[int, ...], n_outputs: int
    ) -> None:
        super().__init__()
        self.plan = plan
        self.text = str(plan)
        self.input_shape = input_shape
        self.n_outputs = n_outputs
        self.stage_texts = tuple(str(stage) for _, stage in plan.unrolled())
        for index, ((_, stage), layer) in enumerate(zip(plan.unrolled(), layers, strict=True)):
            self.add_module(str(index), nn.ModuleDict({stage.kind: cast(nn.Module, layer)}))

    def layers(self) -> Iterator[Layer]:
        """Yield the layers in order, one per unrolled stage."""
        for holder in self.children():
            yield cast(Layer, next(holder.children()))

    def forward(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch outputs *new_positions"]:
        """Return the logits, float32.

        Args:    x: (batch, *input_shape), float32.
                 lengths: real positions of each row, along time; None when all are full. What lies past
                 them never matters.
        Returns: (batch, n_outputs), or (batch, n_outputs, *positions) when the network ends in `conv`.
        Raises:  NetworkError: x or lengths do not have the stated shape.
        """
        x, lengths = self.enter(x, lengths)
        for layer in self.layers():
            x, lengths = layer(x, lengths)
        return self._leave(x).float()

    def settle(
        self, x: Float[Tensor, "batch channels time"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> None:
        """Let a first stage that fits itself to data before training do so; nothing to do for other networks.

        Args:    x: training rows alone, in random order.
        Raises:  NetworkError: as for `forward`, or when the rows have no positions.
        """
        first = next(self.layers())
        if isinstance(first, MiniRocket):
            first.settle(*self.enter(x, lengths))

    def stages(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> list[tuple[str, Tensor, Tensor | None]]:
        """Return what every stage gives: its text, its values and their lengths.

        Args and Raises: as for `forward`. Values are (batch, channels, *positions) or (batch, features).
        Repeated stages stand one by one; the last one's values are the logits.
        """
        return list(self.walk(x, lengths))

    def walk(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> Iterator[tuple[str, Tensor, Tensor | None]]:
        """Yield what `stages` returns one by one, so that what is not kept is freed. Arguments as there."""
        x, lengths = self.enter(x, lengths)
        for text, layer in zip(self.stage_texts, self.layers(), strict=True):
            x, lengths = layer(x, lengths)
            yield text, self._leave(x), lengths

    def enter(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Check the input and return what reaches the first layer: a 1-D signal is an image of height one."""
        dtype = next((parameter.dtype for parameter in self.parameters()), torch.float32)
        # Weights in bfloat16, as a scorer holds them, take float32 too.
        if x.shape[1:] != self.input_shape or x.dtype not in (dtype, wide(dtype)):
            raise NetworkError(
                f"expected a {dtype} tensor (batch, {', '.join(map(str, self.input_shape))}), got {x.dtype} "
                f"{tuple(x.shape)}; give a batch of signals as this network was built for."
            )
        x = x.unsqueeze(2) if len(self.input_shape) == 2 else x
        if lengths is None:
            return x, None
        self._check_lengths(lengths, x)
        return x.masked_fill(past(x, lengths), 0.0), lengths

    def _check_lengths(self, lengths: Tensor, x: Tensor) -> None:
        if len(self.input_shape) != 2:
            raise NetworkError(
                "expected no lengths, got some; lengths are for signals along time, not images."
            )
        if lengths.shape != x.shape[:1] or lengths.dtype != torch.int64:
            raise NetworkError(
                f"expected int64 lengths ({x.shape[0]},), got {lengths.dtype} {tuple(lengths.shape)}; "
                f"give one length per row."
            )
        if torch.compiler.is_compiling() or lengths.device.type != "cpu" or not lengths.numel():
            return  # reading values back would break the graph or stall the device
        low, high = int(lengths.min()), int(lengths.max())
        if low < 0 or high > x.shape[-1]:
            raise NetworkError(
                f"expected lengths from 0 to {x.shape[-1]}, got {low} to {high}; count positions, "
                f"not seconds."
            )

    def _leave(self, x: Tensor) -> Tensor:
        return x.squeeze(2) if x.dim() == 4 and len(self.input_shape) == 2 else x


def _make_layers(plan: Plan, input_shape: Shape, n_outputs: int) -> list[Layer]:
    stages = list(plan.unrolled())
    layers: list[Layer] = []
    shape = input_shape
    trail = [_print_shape(input_shape)]
    for index, (number, stage) in enumerate(stages):
        is_last = index == len(stages) - 1
        place = Place(
            shape,
            n_outputs=n_outputs,
            first=index == 0,
            last=is_last,
            before_norm=not is_last and stages[index + 1][1].kind == "norm",
        )
        try:
            layers.append(make_layer(stage, place))
        except NetworkError as error:
            raise NetworkError(f"stage {number}: {error}.\nso far: {_shorten(trail)}") from None
        shape = layers[-1].facts.shape
        if math.prod(shape) > MAX_PARAMETERS:
            raise NetworkError(
                f"stage {number}: '{stage}' gives {_print_shape(shape)} values per signal, more than can be "
                f"held; use fewer units or larger strides.\nso far: {_shorten(trail)}"
            )
        trail.append(f"{stage} -> {_print_shape(shape)}")
    _check_outputs(plan, shape, n_outputs)
    return layers


def _check_outputs(plan: Plan, shape: Shape, n_outputs: int) -> None:
    last = plan.stages[-1]
    if shape[0] != n_outputs or (len(shape) > 1 and last.kind != "conv"):
        raise NetworkError(
            f"stage {len(plan.stages)}: expected the network to end with {n_outputs} "
            f"output{'s' if n_outputs > 1 else ''}, got {_print_shape(shape)} after '{last}'; "
            f"end it with 'mean | dense classes', or with 'conv classes window 1' for one answer per "
            f"position."
        )


def _print_shape(shape: Shape) -> str:
    return "x".join(str(n) for n in shape) if len(shape) > 1 else f"{shape[0]} features"


def _shorten(trail: list[str]) -> str:
    kept = trail if len(trail) <= 8 else [trail[0], "...", *trail[-6:]]
    return " | ".join(kept)
