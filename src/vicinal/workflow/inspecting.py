"""`vicinal inspect`: what a network costs and what each unit of it sees."""

import re

from vicinal.errors import ExperimentError
from vicinal.representations import inspection
from vicinal.representations.inspection import Inspection

__all__ = ["inspect", "parse_shape"]

_SHAPE = re.compile(r"(\d+)((?:x\d+)+)(?:@(\d+(?:\.\d+)?))?")


def inspect(network: str, *, shape: str, n_outputs: int = 1) -> Inspection:
    """Inspect a network text or preset for an input such as "12x1000@100" (channels, points, Hz)."""
    input_shape, rate_hz = parse_shape(shape)
    return inspection.inspect(network, input_shape=input_shape, rate_hz=rate_hz, n_outputs=n_outputs)


def parse_shape(text: str) -> tuple[tuple[int, ...], float | None]:
    """Parse CHANNELSxPOINTS@HZ; the rate may be left out.

    Raises:  ExperimentError: when it is not of that form.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ExperimentError(f"--input {text!r}: expected CHANNELSxPOINTS@HZ, such as 12x1000@100 or 1x100.")
    channels, positions, rate = found.groups()
    shape = (int(channels), *(int(n) for n in positions[1:].split("x")))
    return shape, float(rate) if rate else None
