import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    """Four recordings of four samples, the value of each its number."""
    folder = tmp_path / "hearts"
    (folder / "sub").mkdir(parents=True)
    for index, name in enumerate(("001", "002", "1", "sub/a")):
        np.save(folder / f"{name}.npy", np.full((1, 4), index, dtype=np.float32))
    return folder


@pytest.fixture
def write(root):
    def write(text, name="labels.csv"):
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    return write
