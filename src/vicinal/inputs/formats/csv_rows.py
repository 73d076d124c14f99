"""Read recordings from a CSV or TSV file with one signal a row, UCR files included.

`wide.py` says which columns are samples. Without a header line, a `.tsv` is a UCR file: the label first, then the
samples. Must not know data sets, nor what the further columns mean.
"""

from pathlib import Path

import numpy as np

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import rows_of
from vicinal.inputs.formats.cells import Head, head_of, read_blocks
from vicinal.inputs.formats.rowfile import RowFile
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wide import Layout, layout_of

__all__ = ["open_csv"]


def open_csv(path: Path, stated: Stated) -> RowFile:
    """Parse a table with one signal a row, once; empty cells and NaN are missing samples.

    Returns: its rows; `columns` are the texts of all columns that hold no samples, as they stand in the file.
    Raises:  FormatError: when it is not clear which columns are samples, or cells of those are not numbers.
    """
    head = head_of(path)
    names = _names(head, path)
    layout = _layout(head, names, path, stated)
    n_channels, n_positions = layout.samples.shape
    columns = layout.samples.ravel()
    samples, texts = [], [list[str]() for _ in layout.others]
    for block in read_blocks(path, head, names=names, texts=layout.others):
        samples.append(block.numbers[:, columns].astype(np.float32))
        for column, more in zip(texts, block.texts, strict=True):
            column.extend(more)
    return rows_of(
        np.concatenate(samples).reshape(-1, n_channels, n_positions),
        path=path,
        stated=stated,
        names=layout.channels,
        columns={names[column]: tuple(text) for column, text in zip(layout.others, texts, strict=True)},
    )


def _names(head: Head, path: Path) -> list[str]:
    if not head.is_header:
        names = [str(index) for index in range(len(head.cells))]
        return ["label", *names[1:]] if path.suffix.lower() == ".tsv" else names
    if len(set(head.cells)) < len(head.cells) or "" in head.cells:
        shown = ", ".join(repr(cell) for cell in head.cells[:20])
        raise FormatError(f"{path}: expected distinct column names, none of them empty, got {shown}.")
    return list(head.cells)


def _layout(head: Head, names: list[str], path: Path, stated: Stated) -> Layout:
    if head.is_header or stated.samples is not None or path.suffix.lower() == ".tsv":
        return layout_of(names, stated=stated, where=str(path))
    raise FormatError(
        f"{path}: expected a header line that names the columns, the first line is numbers. Say which of the "
        f'{len(names)} columns, counted from 0, are samples: samples = "0:{len(names) - 1}" if all are.'
    )
