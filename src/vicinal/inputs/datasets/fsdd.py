"""Free Spoken Digit Dataset: 3,000 recordings at 8 kHz, six speakers who say each digit fifty times.

Source: Jackson et al., doi:10.5281/zenodo.1342401. Its official test part has the speakers of its training part; what
holds for a new speaker shows when one is left out. Knows where things lie; must not know contracts.
"""

import re
from dataclasses import replace
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats.reading import read as read_file
from vicinal.signal import Signal

__all__ = ["CHANNEL", "CLASSES", "catalogue", "read"]

CHANNEL = "audio"
CLASSES = tuple("0123456789")

_FOLDER = "recordings"
_NAME = re.compile(r"(\d)_([A-Za-z]+)_(\d{1,4})\.wav", re.ASCII)
_N_TEST = 5
"""Recordings 0 to 4 of each digit and speaker are the official test part."""

_NOTES = (
    "The official split of FSDD tests the speakers it trains on; split by subject (speaker) to see new ones.",
)


def catalogue(root: Path | None) -> Catalogue:
    """List the recordings by digit, speaker and number; the speakers are the subjects.

    Args:    root: the folder with `recordings/DIGIT_SPEAKER_NUMBER.wav`.
    Returns: one recording a file, with the published split as "official".
    Raises:  PathError: when there are none.
    """
    if root is None:
        raise PathError("fsdd has files: expected the folder with recordings/0_jackson_0.wav in it.")
    folder = root / _FOLDER
    found = sorted(path.name for path in folder.iterdir() if path.suffix == ".wav") if folder.is_dir() else []
    matches = [(name, _NAME.fullmatch(name)) for name in found]
    named = sorted((int(m[1]), m[2], int(m[3]), name) for name, m in matches if m is not None)
    if not named:
        raise PathError(f"no recording of fsdd in {folder}: expected files such as 0_jackson_0.wav.")
    return Catalogue(
        name="fsdd",
        classes=CLASSES,
        recordings=tuple(
            Recording(name.removesuffix(".wav"), folder / name, speaker, speaker, (str(digit),))
            for digit, speaker, _, name in named
        ),
        has_subjects=True,
        notes=_NOTES,
        skipped=tuple(
            (name, "not called DIGIT_SPEAKER_NUMBER.wav") for name, match in matches if match is None
        ),
        officials={"official": tuple("test" if number < _N_TEST else "train" for _, _, number, _ in named)},
    )


def read(recording: Recording) -> Signal:
    """Read one recording: one channel "audio", as shares of full scale.

    Raises:  PathError, FormatError: when the file is missing or damaged, or has more than one channel.
             ExtraError: without the extra that reads WAV.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} names no file.")
    signal = read_file(recording.path, root=recording.path.parent)
    if len(signal.channels) != 1:
        raise FormatError(f"{recording.path}: expected one channel, got {len(signal.channels)}.")
    return replace(signal, channels=(CHANNEL,), id=recording.id, subject=recording.subject)
