"""Files that hold several signals, one a row: the registry of their readers, and opening one only once.

Must not know what the other columns mean.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vicinal.errors import FormatError
from vicinal.inputs.formats.csv_rows import open_csv
from vicinal.inputs.formats.dicom import open_dicom
from vicinal.inputs.formats.hdf5 import open_hdf5
from vicinal.inputs.formats.npy import open_npy
from vicinal.inputs.formats.npz import open_npz
from vicinal.inputs.formats.parquet import open_parquet
from vicinal.inputs.formats.rowfile import RowFile
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.ts import open_ts

__all__ = ["ROW_READERS", "RowFile", "open_rows"]

ROW_READERS: dict[str, Callable[[Path, Stated], RowFile]] = {
    ".csv": open_csv,
    ".tsv": open_csv,
    ".parquet": open_parquet,
    ".npy": open_npy,
    ".npz": open_npz,
    ".ts": open_ts,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".dcm": open_dicom,
}
"""Suffix of a file -> function(path, stated) -> RowFile."""


def open_rows(path: Path, stated: Stated) -> RowFile:
    """Open a file with several signals; in one process the same unchanged file is opened once.

    Args:    path: a regular file that may be opened.  stated: its `row` is not looked at.
    Raises:  FormatError: when no reader knows such files, or the file is not what it claims to be.
    """
    if path.suffix.lower() not in ROW_READERS:
        raise FormatError(
            f"{path}: expected a file with one signal a row ({', '.join(ROW_READERS)}), got "
            f"{path.suffix or 'no suffix'}. Leave row out."
        )
    status = path.stat()
    return _opened(path, replace(stated, row=None), status.st_mtime_ns, status.st_size, status.st_ino)


# Two, for a training and a test file read in turn; a text table stays in memory as long as it is kept here.
@functools.lru_cache(maxsize=2)
def _opened(path: Path, stated: Stated, *_state_of_the_file: int) -> RowFile:
    return ROW_READERS[path.suffix.lower()](path, stated)
