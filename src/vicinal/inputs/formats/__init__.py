"""File formats: one module each, and the registry of readers by file name suffix."""

from collections.abc import Callable
from pathlib import Path

from vicinal.inputs.formats.csv import read_csv
from vicinal.inputs.formats.npy import read_npy
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wfdb import read_wfdb
from vicinal.signal import Signal

__all__ = ["READERS"]

READERS: dict[str, Callable[[Path, Stated], Signal]] = {
    ".hea": read_wfdb,
    ".dat": read_wfdb,
    ".mat": read_wfdb,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".npy": read_npy,
}
"""Suffix of a file -> function(path, stated) -> Signal."""
