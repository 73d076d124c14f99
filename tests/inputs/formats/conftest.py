import os
from pathlib import Path

import pytest


@pytest.fixture
def data_folder() -> Path:
    """The folder with the unpacked public data sets."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vicinal-data"
    folder = Path(os.environ.get("VICINAL_DATA", cache))
    if not (folder / "mitdb").is_dir():
        pytest.skip(f"no unpacked recordings in {folder}; set VICINAL_DATA")
    return folder
