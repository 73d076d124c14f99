import json
import pickle
import struct

import numpy as np
import pytest
import safetensors.numpy

from vicinal.errors import FormatError
from vicinal.representations.network import build
from vicinal.scores.weights import decode_weights, encode_weights, fill, weight_problems

TEXT = "conv 2 window 3 | norm | relu | mean | dense classes"
WEIGHTS = {"b": np.array([[1.0, 2.0]], np.float32), "a": np.array([3.0], np.float32)}


def raw(header: object, data: bytes = b"", *, size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def entry(start: int, stop: int, shape: list[int], dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def test_the_bytes_by_hand():
    data = encode_weights(WEIGHTS)
    size = struct.unpack("<Q", data[:8])[0]

    assert size % 8 == 0
    assert json.loads(data[8 : 8 + size]) == {"a": entry(0, 4, [1]), "b": entry(4, 12, [1, 2])}
    assert data[8 + size :] == struct.pack("<3f", 3.0, 1.0, 2.0)
    assert {name: array.tolist() for name, array in decode_weights(data).items()} == {
        "a": [3.0],
        "b": [[1.0, 2.0]],
    }


@pytest.mark.parametrize("n", range(1, 40))
def test_a_header_of_any_size_is_read(n):
    """One of 128 bytes begins with the byte that a pickle begins with."""
    weights = {"a" * n: WEIGHTS["a"], "b": WEIGHTS["b"]}
    data = encode_weights(weights)
    assert set(decode_weights(data)) == set(weights)


def test_some_of_those_headers_begin_like_a_pickle():
    sizes = [encode_weights({"a" * n: WEIGHTS["a"], "b": WEIGHTS["b"]})[0] for n in range(1, 40)]
    assert 0x80 in sizes


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not safetensors: no header of 0 bytes"),
        (pickle.dumps({"a": 1}), "a pickle or an archive, which is never opened"),
        (b"PK\3\4 as torch saves", "a pickle or an archive"),
        (raw({}, size=2**63), "no header of 9,223,372,036,854,775,808 bytes"),
        (raw(b"[1, 2"), "the header is not JSON"),
        (raw(b"[" * 100_000), "the header is not JSON"),
        (raw([1]), "expected a header of tensors only"),
        (raw({"__metadata__": {"x": "y"}, "a": entry(0, 4, [1])}, bytes(4)), "without metadata"),
        (raw({"a": entry(0, 8, [1], "F64")}, bytes(8)), "tensor 'a' is not float32"),
        (raw({"a": entry(0, 4, [1], "Q7")}, bytes(4)), "tensor 'a' is not float32"),
        (raw({"a": entry(0, 4, [1]), "b": entry(0, 4, [1])}, bytes(4)), "not safetensors"),
        (raw({"a": entry(0, 4, [1]), "b": entry(8, 12, [1])}, bytes(12)), "not safetensors"),
        (raw({"a": entry(0, 4, [2**40, 2**40])}, bytes(4)), "not safetensors"),
        (raw({"a": entry(0, 4, [-1])}, bytes(4)), "not safetensors"),
        (raw({"a": entry(0, 4, [1])}, bytes(8)), "not safetensors"),
        (raw({"b": entry(4, 8, [1]), "a": entry(0, 4, [1])}, bytes(8)), "not sorted by name, or bytes"),
        (raw({f"t{k}": entry(0, 0, [0]) for k in range(100_000)})[:-4], "not safetensors|not JSON|no header"),
    ],
)
def test_what_is_not_our_safetensors_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        decode_weights(data)


def test_other_dtypes_of_safetensors_itself_are_refused():
    for dtype in (np.float16, np.int64, np.uint8):
        with pytest.raises(FormatError, match="'a' is not float32"):
            decode_weights(safetensors.numpy.save({"a": np.ones(2, dtype)}))


def test_every_problem_with_a_network_is_listed():
    network = build(TEXT, input_shape=(1, 9), n_outputs=1, seed=0)
    good = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    assert weight_problems(good, network) == []

    first, second, third, *_ = good
    bad = {**good, "extra": good[first], second: good[second][:1], third: good[third].astype(np.float64)}
    bad.pop(first)
    problems = "; ".join(weight_problems(bad, network))
    assert f"tensor '{first}' (2, 1, 3) is missing" in problems
    assert "tensor 'extra' is not of this network" in problems
    assert f"tensor '{second}': expected shape (2,), got (1,)" in problems
    assert f"tensor '{third}': expected float32, got float64" in problems

    for value in (np.nan, np.inf):
        broken = {**good, first: good[first] + np.float32(value)}
        assert weight_problems(broken, network) == [f"tensor {first!r}: 6 of 6 values are not finite"]
    zeros = {name: np.zeros_like(array) for name, array in good.items()}
    assert "every weight is zero" in weight_problems(zeros, network)[0]


def test_a_filled_network_has_its_own_copy():
    network = build(TEXT, input_shape=(1, 9), n_outputs=1, seed=0)
    weights = {name: tensor.numpy().copy() + 1 for name, tensor in network.state_dict().items()}
    fill(network, weights)
    before = {name: array.copy() for name, array in weights.items()}
    for tensor in network.state_dict().values():
        tensor.fill_(7.0)

    assert all((weights[name] == before[name]).all() for name in weights)
