"""File formats: one module each, and the registry of readers by file name suffix."""

from collections.abc import Callable
from pathlib import Path

from vicinal.inputs.formats.audio import read_audio
from vicinal.inputs.formats.csv import read_csv
from vicinal.inputs.formats.dicom import read_dicom
from vicinal.inputs.formats.edf import read_edf
from vicinal.inputs.formats.hdf5 import read_hdf5
from vicinal.inputs.formats.image import read_image
from vicinal.inputs.formats.npy import read_npy
from vicinal.inputs.formats.npz import read_npz
from vicinal.inputs.formats.parquet import read_parquet
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.ts import read_ts
from vicinal.inputs.formats.wfdb import read_wfdb
from vicinal.signal import Signal

__all__ = ["READERS"]

READERS: dict[str, Callable[[Path, Stated], Signal]] = {
    ".hea": read_wfdb,
    ".dat": read_wfdb,
    ".mat": read_wfdb,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".npy": read_npy,
    ".npz": read_npz,
    ".ts": read_ts,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".edf": read_edf,
    ".bdf": read_edf,
    ".dcm": read_dicom,
    ".wav": read_audio,
    ".flac": read_audio,
    ".png": read_image,
    ".jpg": read_image,
    ".jpeg": read_image,
}
"""Suffix of a file -> function(path, stated) -> Signal."""
