"""What a person sees while work goes on: messages, progress and tables.

Results go to standard output, messages and progress to standard error. It must not know what it shows.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["QUIET", "Quiet", "Show", "Terminal", "Update", "View", "spoken"]

_PLAIN_LINE_EVERY_S = 15.0
_DRAWN_EVERY_S = 1.0
"""A drawing takes some milliseconds, which the work pays for."""

_PIPE_WIDTH = 160
_PARAGRAPH_WIDTH = 110


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
        """Print text to standard output, wrapped to the width of the terminal."""
        self._results.print(text, markup=False, width=min(self._results.width, _PARAGRAPH_WIDTH))

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        title: str | None = None,
        n_text: int = 1,
    ) -> None:
        """Print a table to standard output; the first `n_text` columns are text, the others numbers."""
        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for k, column in enumerate(columns):
            table.add_column(column, justify="left" if k < n_text else "right", overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._results.print(table, markup=False, crop=False)

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
