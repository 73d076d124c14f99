import re

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.fingerprint import Kept, fingerprint
from vicinal.inputs.storage import Storage

ROW = np.random.default_rng(0).standard_normal((2, 50)).astype(np.float32)
FLOAT, INT = Storage(), Storage(dtype="int16", max_error=0.01)


def kept(*letters: str, storage: Storage = FLOAT, n: int = 3) -> dict[str, object]:
    return {
        "storage": storage.model_dump(mode="json"),
        "parts": {"train": {"n": n, "letters": "".join(letters)}, "validation": {"n": 0, "letters": ""}},
    }


def test_the_same_bits_have_the_same_fingerprint_and_others_another() -> None:
    one = fingerprint(ROW, 40, FLOAT)
    assert re.fullmatch("[0-9a-f]{12}", one)
    padded = np.concatenate([ROW[:, :40], np.zeros((2, 60), np.float32)], axis=1)
    assert fingerprint(padded, 40, FLOAT) == one  # what lies beyond the length is nobody's
    assert fingerprint(ROW, 41, FLOAT) != one
    assert fingerprint(ROW[::-1], 40, FLOAT) != one
    nudged = ROW.copy()
    nudged[1, 3] = np.nextafter(nudged[1, 3], np.float32(np.inf))
    assert fingerprint(nudged, 40, FLOAT) != one
    assert fingerprint(ROW[:1].reshape(1, 50), 40, FLOAT) != fingerprint(ROW[:1, :25].repeat(2, 0), 20, FLOAT)
    image = np.zeros((1, 8, 8), np.float32)
    assert fingerprint(image, 8, FLOAT) != fingerprint(image + np.eye(8, dtype=np.float32), 8, FLOAT)


def test_stored_values_have_the_fingerprint_of_what_they_stand_for() -> None:
    stored = INT.decode(INT.encode(ROW, where="x"))
    assert not np.array_equal(stored, ROW)
    assert fingerprint(stored, 50, INT) == fingerprint(ROW, 50, INT)
    assert fingerprint(ROW, 50, INT) != fingerprint(ROW, 50, FLOAT)


def test_a_row_is_found_in_its_part() -> None:
    found = Kept.of(kept(fingerprint(ROW, 40, FLOAT), fingerprint(ROW, 30, FLOAT)))
    assert (found.n, found.n_kept) == ({"train": 3, "validation": 0}, {"train": 2, "validation": 0})
    assert [found.part_of(ROW, n) for n in (30, 40, 50)] == ["train", "train", ""]
    # What such packs could not hold was not in one.
    assert Kept.of(kept(storage=INT)).part_of(ROW * 1e9, 50) == ""


@pytest.mark.parametrize(
    "value",
    [3, [], {}, {"storage": {}}, kept() | {"storage": {"dtype": "text"}}, kept() | {"parts": {"train": 3}}],
)
def test_what_are_no_fingerprints_are_refused(value: object) -> None:
    with pytest.raises(FormatError, match="these are no fingerprints"):
        Kept.of(value)
