"""Weights as bytes and back, and held against the network they are for.

Knows arrays, safetensors and networks; must not know calibration, policy or files.
"""

import json
from collections.abc import Mapping

import numpy as np
import safetensors.numpy
import torch
from jaxtyping import Float32
from safetensors import SafetensorError
from torch import nn

from vicinal.errors import FormatError

__all__ = ["Weights", "decode_weights", "encode_weights", "fill", "weight_problems"]

Weights = Mapping[str, Float32[np.ndarray, "..."]]

_LARGEST_HEADER = 16 * 2**20


def encode_weights(weights: Weights) -> bytes:
    """Return the weights as safetensors: float32, little-endian, sorted by name, without metadata."""
    arrays = {name: np.ascontiguousarray(weights[name], dtype=np.float32) for name in sorted(weights)}
    data: bytes = safetensors.numpy.save(arrays)
    return data


def decode_weights(data: bytes) -> dict[str, Float32[np.ndarray, "..."]]:
    """Return the weights in safetensors bytes.

    Raises:  FormatError: when the header is not one of safetensors, a tensor is not float32, or the bytes are
             not exactly those that `encode_weights` gives.
    """
    _check_header(data)
    try:
        weights: dict[str, np.ndarray] = safetensors.numpy.load(data)
    except (SafetensorError, ValueError, OverflowError, MemoryError) as error:
        raise FormatError(f"not safetensors: {error}. Copy the model file again.") from error
    if encode_weights(weights) != data:
        raise FormatError(
            "the tensors read, but tensors are not sorted by name, or bytes lie around them. "
            "Save the model again with Vicinal."
        )
    return weights


def weight_problems(weights: Weights, network: nn.Module) -> list[str]:
    """Return everything that keeps these weights from filling this network, best understood first."""
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    problems = [f"tensor {name!r} {expected[name]} is missing" for name in expected if name not in weights]
    problems += [f"tensor {name!r} is not of this network" for name in weights if name not in expected]
    for name in [name for name in expected if name in weights]:
        array = weights[name]
        if array.shape != expected[name]:
            problems.append(f"tensor {name!r}: expected shape {expected[name]}, got {array.shape}")
        if array.dtype != np.float32:
            problems.append(f"tensor {name!r}: expected float32, got {array.dtype}")
        elif not np.isfinite(array).all():
            n_bad = int((~np.isfinite(array)).sum())
            problems.append(f"tensor {name!r}: {n_bad} of {array.size} values are not finite")
    if weights and not problems and not any(array.any() for array in weights.values()):
        problems.append("every weight is zero, so every recording would get the same score")
    return problems


def fill(network: nn.Module, weights: Weights) -> None:
    """Give the network a copy of weights that fit it."""
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    network.load_state_dict(tensors, assign=True)


def _check_header(data: bytes) -> None:
    # A header of 128 bytes, or 384, begins like a pickle too; but then the JSON begins at the ninth byte.
    if (data[:1] == b"\x80" and data[8:9] != b"{") or data[:4] == b"PK\3\4":
        raise FormatError("expected safetensors, got a pickle or an archive, which is never opened.")
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(_LARGEST_HEADER, len(data) - 8):
        raise FormatError(f"not safetensors: no header of {size:,} bytes fits in {len(data):,}.")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the header is not JSON: {error}.") from error
    if not isinstance(header, dict) or "__metadata__" in header:
        raise FormatError("expected a header of tensors only, without metadata.")
    wrong = [name for name, row in header.items() if not isinstance(row, dict) or row.get("dtype") != "F32"]
    if wrong:
        raise FormatError(f"tensor {wrong[0]!r} is not float32 (F32), as every tensor must be.")
