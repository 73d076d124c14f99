"""A training run as a person sees it while it goes on: drawn on a terminal, in one line elsewhere.

Formats a `Course`; computes nothing.
"""

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vicinal.terminal import spoken
from vicinal.workflow.course import Course
from vicinal.workflow.curve import sparkline

__all__ = ["CourseView"]

_BAR_WIDTH = 40


class CourseView:
    """What is shown of a course.

    Args:    title: what goes on, such as "training".
    """

    def __init__(self, course: Course, *, title: str = "training") -> None:
        self.course, self.title = course, title

    def line(self) -> str:
        """Return the numbers in one line, with the names of what the monitor found."""
        course = self.course
        if not course.step:
            return f"{self.title}: no step yet"
        words = [
            self._place(),
            f"loss {_short(course.loss)}",
            f"gradient norm {_short(course.gradient_norm)}",
            f"learning rate {_short(course.learning_rate)}",
        ]
        if course.update_ratio:
            words.append(f"update ratio {_range(course.update_ratio.values())}")
        if course.dead_units is not None:
            words.append(f"dead units {100 * course.dead_units:.1f} %")
        words.append(f"{_short(course.rows_per_s)} rows/s")
        if course.epochs:
            words.append(f"validation {self._selected()}")
        kinds = [finding.kind for finding in course.findings]
        return "; ".join([", ".join(words), *([f"monitor: {', '.join(kinds)}"] if kinds else [])])

    def drawn(self) -> RenderableType:
        """Return everything, with a curve behind what has one."""
        course = self.course
        parts: list[RenderableType] = [Text(self._place() if course.step else f"{self.title}: no step yet")]
        if course.total:
            bar = ProgressBar(total=course.total, completed=course.step, width=_BAR_WIDTH)
            parts.append(Padding(bar, 0))
        if course.step:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(style="bold", no_wrap=True)
            grid.add_column(justify="right", no_wrap=True)
            grid.add_column(overflow="fold")
            for row in (*self._step_rows(), *self._epoch_rows()):
                grid.add_row(*(Text(cell) for cell in row))
            parts.append(grid)
        if course.epochs or course.rollbacks:
            parts += self._said()
        return Group(*parts)

    def _place(self) -> str:
        course = self.course
        of = "" if course.total is None else f" of {course.total:,}"
        words = [f"{self.title}: step {course.step:,}{of}"]
        if course.epochs:
            words.append(f"epoch {course.epochs[-1]['epoch']:,}")
        if course.end is not None:
            words.append("training is over")
        elif course.remaining_s is not None:
            words.append(f"{spoken(course.remaining_s)} left")
        return ", ".join(words)

    def _step_rows(self) -> list[tuple[str, str, str]]:
        course = self.course
        rows = [
            ("loss", _short(course.loss), sparkline(course.losses.values)),
            ("gradient norm", _short(course.gradient_norm), sparkline(course.norms.values)),
            ("learning rate", _short(course.learning_rate), ""),
        ]
        if course.update_ratio:
            most = max(course.update_ratio, key=lambda stage: course.update_ratio[stage])
            rows.append(("update ratio", _range(course.update_ratio.values()), f"{most} moves most"))
        if course.dead_units is not None:
            rows.append(("dead units", f"{100 * course.dead_units:.1f} %", ""))
        return [*rows, ("rows a second", _short(course.rows_per_s), "")]

    def _epoch_rows(self) -> list[tuple[str, str, str]]:
        if not self.course.epochs:
            return []
        select = self.course.select or ""
        names = [select, *(name for name in ("loss", "ece") if name != select)]
        return [self._epoch_row(name) for name in names if name in self.course.epochs[-1]["validation"]]

    def _epoch_row(self, name: str) -> tuple[str, str, str]:
        epochs, best = self.course.epochs, self.course.best
        words = [sparkline([v for one in epochs if math.isfinite(v := one["validation"][name])])]
        if epochs[-1]["training"] is not None:
            words.append(f"training {_short(epochs[-1]['training'][name])}")
        if name == self.course.select and best is not None:
            words.append(f"best {_short(best['validation'][name])} in epoch {best['epoch']}")
        value = _short(epochs[-1]["validation"][name])
        return (f"validation {name}", value, "  ".join(word for word in words if word))

    def _selected(self) -> str:
        last, best, select = self.course.epochs[-1], self.course.best, self.course.select
        words = f"{select} {_short(last['validation'][select])}"
        if last["training"] is not None:
            words += f" (training {_short(last['training'][select])})"
        if best is not None:
            words += f", best {_short(best['validation'][select])} in epoch {best['epoch']}"
        return words

    def _said(self) -> Sequence[RenderableType]:
        found = self.course.findings
        if not found:
            return [Text("monitor: nothing known to be wrong")]
        return [Text(f"{finding.kind}: {finding.message}", style="yellow") for finding in found]


def _range(values: Iterable[float]) -> str:
    found = [value for value in values if math.isfinite(value)]
    return f"{min(found):.1e} to {max(found):.1e}" if found else "-"


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    if value and abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 10 else f"{value:.3f}"
