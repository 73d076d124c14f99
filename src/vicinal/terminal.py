"""What a person sees while work goes on: messages, progress and tables.

Results go to standard output, messages and progress to standard error. It must not know what it shows.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["QUIET", "Quiet", "Show", "Terminal", "Update", "View", "spoken"]

_PLAIN_LINE_EVERY_S = 15.0
_DRAWN_EVERY_S = 1.0
"""A drawing takes some milliseconds, which the work pays for."""

_PIPE_WIDTH = 160
_PIPE_PARAGRAPH_WIDTH = 110

_GAP = 2
"""Spaces between two columns."""


class Update(Protocol):
    """Called with how much is done, how much there is (None while not known), and a few words."""

    def __call__(self, done: int, total: int | None, words: str = "") -> None: ...  # noqa: D102


class View(Protocol):
    """What there is to see of something while it changes."""

    def drawn(self) -> RenderableType:
        """Return it as a terminal shows it."""

    def line(self) -> str:
        """Return it in one line."""


class Show(Protocol):
    """Where work reports how it goes."""

    def say(self, message: str) -> None:
        """Show one message."""

    def progress(self, what: str) -> contextlib.AbstractContextManager[Update]:
        """Show progress while the block runs."""

    def live(self, view: View) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """Show a view while the block runs; what is yielded is called when it has changed."""


class Quiet:
    """Shows nothing: for use as a library."""

    def say(self, message: str) -> None:
        """Ignore the message."""

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Update]:  # noqa: ARG002  # the interface of Show
        """Ignore the progress."""
        yield _ignore

    @contextlib.contextmanager
    def live(self, view: View) -> Iterator[Callable[[], None]]:  # noqa: ARG002  # the interface of Show
        """Ignore the view."""
        yield lambda: None


def _ignore(done: int, total: int | None, words: str = "") -> None:
    del done, total, words


QUIET = Quiet()


class Terminal:
    """Shows messages and progress on standard error, tables on standard output."""

    def __init__(self) -> None:
        self._errors = Console(stderr=True, highlight=False)
        # A pipe has no width: what goes there is as wide as it needs to be.
        self._results = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)

    def say(self, message: str) -> None:
        """Print one line to standard error."""
        self._errors.print(message, markup=False, soft_wrap=True)

    def progress(self, what: str) -> contextlib.AbstractContextManager[Update]:
        """Show a bar on a terminal, and a plain line now and then elsewhere."""
        return self._bar(what) if self._errors.is_terminal else self._lines(what)

    def live(self, view: View) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """Draw a view once a second on a terminal, and print its line now and then elsewhere; at the end, its line."""
        return self._drawing(view) if self._errors.is_terminal else self._line_by_line(view)

    def picture(self, view: View) -> None:
        """Print a view to standard output, drawn as it is now."""
        self._results.print(view.drawn())

    def result(self, text: str) -> None:
        """Print text to standard output as it is."""
        self._results.print(text, markup=False, soft_wrap=True)

    def paragraph(self, text: str) -> None:
        """Print text to standard output, wrapped between words to the width of the terminal."""
        width = self._results.width if self._results.is_terminal else _PIPE_PARAGRAPH_WIDTH
        self._results.print(text, markup=False, width=width)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        title: str | None = None,
        n_text: int = 1,
    ) -> None:
        """Print a table to standard output; the first `n_text` columns are text, the others numbers.

        What is wider than the terminal is printed as several tables, one below the other, each with the first column.
        No number is broken, and no word that fits. A pipe has no width: there it stays one table.
        """
        if title:
            self._results.print(title, style="bold", markup=False, soft_wrap=not self._results.is_terminal)
        widths = [_width(columns, rows, k, is_text=k < n_text) for k in range(len(columns))]
        whole = sum(one.whole for one in widths) + _GAP * (len(widths) - 1)
        # Its own console where there is no terminal: the others hold what they print to their width.
        console = (
            self._results if self._results.is_terminal else Console(highlight=False, width=max(whole, 1))
        )
        for number, block in enumerate(_blocks(widths, console.width)):
            if number:
                console.print()
            table = Table(box=None, pad_edge=False)
            for k, width in block.items():
                justify: Literal["left", "right"] = "left" if k < n_text else "right"
                table.add_column(columns[k], justify=justify, overflow="fold", width=width)
            for row in rows:
                table.add_row(*(row[k] if k < len(row) else "" for k in block))
            console.print(table, markup=False, crop=False)

    @contextlib.contextmanager
    def _bar(self, what: str) -> Iterator[Update]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}"),
        )
        with Progress(*columns, console=self._errors, transient=True) as bar:
            task = bar.add_task(what, total=None, words="")

            def update(done: int, total: int | None, words: str = "") -> None:
                bar.update(task, completed=done, total=total, words=words)

            yield update

    @contextlib.contextmanager
    def _lines(self, what: str) -> Iterator[Update]:
        start = last = time.monotonic()

        def update(done: int, total: int | None, words: str = "") -> None:
            nonlocal last
            if time.monotonic() - last >= _PLAIN_LINE_EVERY_S:
                last = time.monotonic()
                self.say(f"{what}: {done} of {total or '?'} after {last - start:.0f} s {words}".rstrip())

        yield update
        self.say(f"{what}: done in {time.monotonic() - start:.1f} s")

    @contextlib.contextmanager
    def _drawing(self, view: View) -> Iterator[Callable[[], None]]:
        # Without a thread that draws by itself: it would see the view while it changes.
        with Live(view.drawn(), console=self._errors, auto_refresh=False, transient=True) as live:
            yield _at_most_every(_DRAWN_EVERY_S, lambda: live.update(view.drawn(), refresh=True))
        self.say(view.line())

    @contextlib.contextmanager
    def _line_by_line(self, view: View) -> Iterator[Callable[[], None]]:
        yield _at_most_every(_PLAIN_LINE_EVERY_S, lambda: self.say(view.line()))
        self.say(view.line())


@dataclass(frozen=True)
class _Width:
    """How wide a column is.

    Args:    whole: where nothing is wrapped.  word: so that no word is broken; of numbers, no cell.
             is_text: whether its cells may be wrapped.
    """

    whole: int
    word: int
    is_text: bool


def _width(columns: Sequence[str], rows: Sequence[Sequence[str]], k: int, *, is_text: bool) -> _Width:
    cells = [row[k] for row in rows if k < len(row)]
    lines = [line for cell in (columns[k], *cells) for line in cell.splitlines()]
    unbroken = (columns[k], *cells) if is_text else (columns[k],)
    words = [word for cell in unbroken for word in cell.split()] + ([] if is_text else cells)
    return _Width(max(map(cell_len, lines), default=0), max(map(cell_len, words), default=0), is_text)


def _blocks(widths: Sequence[_Width], room: int) -> list[dict[int, int]]:
    """Return the columns of each of the tables that fit into the room, with their widths."""
    if not widths:
        return []
    # Names are held to a third of the room, other text to a sixth, where it takes no word apart.
    least = [_held(one, room // (6 if k else 3), room // 2) for k, one in enumerate(widths)]
    n = len(_split(least, room))
    # As many tables as it takes, and then each as narrow as they allow: no last one of a single column.
    even = next(narrow for narrow in range(room + 1) if narrow == room or len(_split(least, narrow)) == n)
    return [_filled(block, widths, least, room) for block in _split(least, even)]


def _split(least: Sequence[int], room: int) -> list[list[int]]:
    """Return the columns of each table, filled one after the other; each starts with the first column."""
    blocks, used = [[0]], least[0]
    for k in range(1, len(least)):
        if used + _GAP + least[k] > room and len(blocks[-1]) > 1:
            blocks.append([0])
            used = least[0]
        blocks[-1].append(k)
        used += _GAP + least[k]
    return blocks


def _held(one: _Width, share: int, most: int) -> int:
    """Return the least width at which a column is readable."""
    return max(min(one.whole, share), min(one.word, most)) if one.is_text else one.word


def _filled(
    block: Sequence[int], widths: Sequence[_Width], least: Sequence[int], room: int
) -> dict[int, int]:
    """Return the width of each column of one table: the least, and the room that is left to the first that want it."""
    left = room - sum(least[k] for k in block) - _GAP * (len(block) - 1)
    found = {}
    for k in block:
        more = min(max(left, 0), widths[k].whole - least[k])
        found[k] = least[k] + more
        left -= more
    if left < 0:
        # Not even two columns fit: the second is folded.
        found[block[-1]] = max(found[block[-1]] + left, 1)
    return found


def _at_most_every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """Return a function that acts when it is called and so many seconds have passed since it last did."""
    last = time.monotonic()

    def call() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            act()
            last = time.monotonic()

    return call


def spoken(seconds: float) -> str:
    """Return seconds in words: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
