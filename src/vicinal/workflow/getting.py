"""`vicinal get`: fetch a public data set."""

from pathlib import Path

from vicinal.inputs.datasets import download
from vicinal.terminal import QUIET, Show

__all__ = ["get"]


def get(name: str, *, source: str | None = None, rate_hz: int | None = None, show: Show = QUIET) -> Path:
    """Fetch a data set into the cache and return its folder; see `vicinal.inputs.datasets.download`."""
    with show.progress(f"fetching {name}") as update:
        return download.get(name, source=source, rate_hz=rate_hz, progress=update)
