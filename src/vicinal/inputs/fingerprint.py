"""Fingerprints: a short hash of each prepared row, by which a model can tell a recording that it was made from.

A fingerprint cannot be turned back into a signal, but whoever holds a recording can look whether it is there. It is
that of the stored bits: the same recording, prepared by the same contract, has the same one, and any other cut, rate
or rounding of it another. Knows packs and prepared rows; must not know models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.errors import FormatError
from vicinal.files import sha256_bytes
from vicinal.inputs.pack import Pack
from vicinal.inputs.storage import Storage

__all__ = ["Kept", "fingerprint", "fingerprints"]

_LETTERS = 12
"""48 bits: of 100,000 kept and 100,000 new rows, a pair agrees by chance in one of 28,000 such evaluations."""

_MOST_ROWS = 100_000
_LOADED = 16


def fingerprint(samples: Float32[np.ndarray, "channels *positions"], length: int, storage: Storage) -> str:
    """Return the fingerprint of one prepared row: twelve hexadecimal letters.

    Args:    length: positions that hold signal; of an image all count.  storage: how packs of the model keep values.
    """
    held = samples[:, :length] if samples.ndim == 2 else samples
    stored = storage.encode(held, where="fingerprint")
    return sha256_bytes(f"{held.shape}{storage.dtype}".encode() + stored.tobytes())[:_LETTERS]


def fingerprints(pack: Pack, parts: Mapping[str, Int64[np.ndarray, " m"]]) -> dict[str, Any]:
    """Return the fingerprints of the rows of each part, at most 100,000 of each, evenly taken.

    Returns: JSON values: `storage`, and for each of `parts` its `n` rows and the `letters` of those kept in one text,
             sorted, so that the order of the rows is not told.
    """
    found = {}
    for name, indices in parts.items():
        places = np.unique(
            np.linspace(0, len(indices) - 1, min(_MOST_ROWS, len(indices))).round().astype(np.int64)
        )
        kept: list[str] = []
        for start in range(0, len(places), _LOADED):
            x, lengths = pack.rows(indices[places[start : start + _LOADED]])
            kept += [fingerprint(*pair, pack.storage) for pair in zip(x, lengths.tolist(), strict=True)]
        found[name] = {"n": len(indices), "letters": "".join(sorted(kept))}
    return {"storage": pack.storage.model_dump(mode="json"), "parts": found}


@dataclass(frozen=True)
class Kept:
    """The fingerprints of a model, to look rows up in.

    Args:    storage: how the packs it was made from keep values.  n: rows of each part.  n_kept: of these with a
             fingerprint.  parts: the fingerprints of each part.
    """

    storage: Storage
    n: dict[str, int]
    n_kept: dict[str, int]
    parts: dict[str, frozenset[str]] = field(repr=False)

    @staticmethod
    def of(value: object) -> "Kept":
        """Read what `fingerprints` gave.

        Raises:  FormatError: when it is something else.
        """
        try:
            storage, parts = Storage.model_validate(value["storage"]), dict(value["parts"])  # type: ignore[index]
            texts = {name: str(part["letters"]) for name, part in parts.items()}
            n = {name: int(part["n"]) for name, part in parts.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"reference.json: these are no fingerprints of rows: {error}.") from error
        found = {
            name: frozenset(text[at : at + _LETTERS] for at in range(0, len(text), _LETTERS))
            for name, text in texts.items()
        }
        return Kept(storage, n, {name: len(text) // _LETTERS for name, text in texts.items()}, found)

    def part_of(self, samples: Float32[np.ndarray, "channels *positions"], length: int) -> str:
        """Return the part that holds this prepared row, or "" where none is known to."""
        try:
            one = fingerprint(samples, length, self.storage)
        except FormatError:
            return ""  # values that such a pack could not have held
        return next((name for name, letters in self.parts.items() if one in letters), "")
