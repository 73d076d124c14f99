"""Real recordings, where this machine has them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vicinal.errors import PathError
from vicinal.inputs.datasets import store

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Return the folder of a real data set, or skip the test and say what is missing."""

    def find(name: str) -> Path:
        places = [None] if "VICINAL_DATA" in os.environ else [SHARED, None]
        for place in places:
            try:
                return store.find(name, place)
            except PathError as error:
                reason = str(error)
        pytest.skip(f"needs the recordings of {name}: {reason}")

    return find
