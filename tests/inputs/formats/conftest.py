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
        try:
            return store.find(name, None if "VICINAL_DATA" in os.environ or not SHARED.is_dir() else SHARED)
        except PathError as error:
            pytest.skip(f"needs the recordings of {name}: {error}")

    return find
