"""How numbers are written in a report: one place, so that page and text write them alike."""

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["count", "facts", "interval", "milliseconds", "number", "plural", "share", "unreliable"]


def number(value: float | None) -> str:
    """Three decimals; a dash where there is no number."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def count(value: float | None) -> str:
    """Return a number of people or rows; one decimal below 10."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value >= 9.95 or float(value).is_integer() else f"{value:.1f}"


def plural(n: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def milliseconds(value: float | None) -> str:
    """Return whole milliseconds."""
    return "–" if value is None else f"{value:,.0f} ms"


def share(value: float) -> str:
    """Return a share in percent."""
    return f"{100 * value:.1f} %"


def interval(entry: Mapping[str, Any]) -> str:
    """Return the ends of an interval of evidence."""
    return f"{number(entry['low'])} to {number(entry['high'])}"


def unreliable(entry: Mapping[str, Any]) -> str:
    """Return the word beside a number that is not to be relied on, or nothing."""
    return "unreliable" if entry.get("unreliable") else ""


def facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of what is not empty, in words."""
    return [
        (name.replace("_", " "), _said(value))
        for name, value in values.items()
        if value not in (None, "", [])
    ]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
