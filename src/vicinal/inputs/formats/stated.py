"""Stated: what the caller states about a file, because the file itself may not say it.

Every reader takes a path and one of these. Must not know any format.
"""

from dataclasses import dataclass
from pathlib import Path

from vicinal.errors import FormatError

__all__ = ["Stated"]


@dataclass(frozen=True)
class Stated:
    """What the caller states.

    Args:    root: the folder that no file name found in data may leave.
             channels: the channels wanted, by name and in order; a plain array takes them as its names.
             rate_hz: positions a second.  units: one for all channels.
             row: which signal of a file that holds several, from 0; None: the file holds one.
             samples: where a file with further content has its samples: the first and the last column of a
             table with one signal a row, "FIRST:LAST"; the name of an array in an archive.
             annotator: suffix of the file with the events beside a WFDB record; None: `atr`, where there is one.
    """

    root: Path
    channels: tuple[str, ...] | None = None
    rate_hz: float | None = None
    units: str | None = None
    row: int | None = None
    samples: str | None = None
    annotator: str | None = None

    def rate_or(self, found: float | None, *, where: str) -> float:
        """Return the rate, from the file or from the caller.

        Raises:  FormatError: when neither knows it, or both do and they differ by more than 0.1 %.
        """
        if found is None and self.rate_hz is None:
            raise FormatError(
                f"{where}: expected a rate, the file has none. Give rate_hz; it is never guessed."
            )
        if found is not None and self.rate_hz is not None and abs(found / self.rate_hz - 1) > 1e-3:
            raise FormatError(
                f"{where}: expected {self.rate_hz:g} Hz as stated, the file says {found:g} Hz. "
                "Leave rate_hz out, or correct the file."
            )
        return found if self.rate_hz is None else self.rate_hz  # type: ignore[return-value]  # one is known

    def unit_or(self, found: str | None, *, where: str) -> str:
        """Return the unit of a channel, from the file or from the caller.

        Raises:  FormatError: when neither knows it, or both do and they differ.
        """
        if found is not None and self.units is not None and found != self.units:
            raise FormatError(
                f"{where}: expected {self.units!r} as stated, the file says {found!r}. "
                "Leave units out: units are converted to the contract's."
            )
        unit = found or self.units
        if not unit:
            raise FormatError(
                f"{where}: expected a unit, the file has none, and it is never guessed. State it: --units on the "
                "command line, inputs.options.units in an experiment."
            )
        return unit
