"""Problems: many complaints about one source, counted in full and shown in part, raised once.

Ten million bad rows cost as much memory as twenty. Must not know what a problem is about.
"""

from collections.abc import Callable, Iterable

import numpy as np

from vicinal.errors import FormatError

__all__ = ["Problems"]

_MOST_SHOWN = 20


class Problems:
    """What is wrong with `where`, in the order in which it was found."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.n = 0
        self._shown: list[str] = []

    def add(self, text: str) -> None:
        """Count one problem, and keep its text while there is room."""
        self.add_all(1, lambda _: text)

    def extend(self, texts: Iterable[str]) -> None:
        """Count each of `texts`."""
        for text in texts:
            self.add(text)

    def add_all(self, n: int, describe: Callable[[int], str]) -> None:
        """Count `n` problems; `describe(k)` is asked for the text of those that are shown."""
        room = min(n, _MOST_SHOWN - len(self._shown))
        self._shown += [describe(k).removesuffix(".") for k in range(room)]
        self.n += n

    def add_rows(self, rows: np.ndarray, describe: Callable[[int], str]) -> None:
        """Count one problem for each of `rows`; `describe(row)` is asked for the text of those shown."""
        self.add_all(len(rows), lambda k: describe(int(rows[k])))

    def raise_any(self, advice: str) -> None:
        """Raise all problems as one error, if there are any.

        Raises:  FormatError: with the first twenty in full, the number of the others, and the advice.
        """
        if not self.n:
            return
        shown = "\n".join(f"  {text}" for text in self._shown)
        further = f"\n  and {self.n - len(self._shown):,} more" if self.n > len(self._shown) else ""
        count = "1 problem" if self.n == 1 else f"{self.n:,} problems"
        raise FormatError(f"{self.where}: {count}:\n{shown}{further}\n{advice}")
