"""Wording: the small phrases that verdicts are made of. Plain numbers and names in, words out."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["broke_off", "factor", "grouped", "listed", "of_number", "signed"]


def broke_off(n: int) -> str:
    """Return that n trainings of a network came to no end."""
    return "broke off once" if n == 1 else f"broke off {n:,} times"


def signed(one: Mapping[str, Any]) -> str:
    """Return a value with its sign and, where there is one, its interval."""
    if one["value"] is None:
        return "not known"
    if one["low"] is None:
        return f"{one['value']:+.3f}"
    return f"{one['value']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"


def grouped(groups: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a sentence for each group that has members: "Smaller: conv +0.1, lstm +0.2."."""
    return " ".join(f"{title}: {', '.join(members)}." for title, members in groups if members)


def factor(value: float) -> str:
    """Return a ratio to two digits, or to whole numbers: never as 2.1e+02."""
    return f"{value:.2g}" if abs(value) < 99.5 else f"{value:,.0f}"


def of_number(n: int, unit: str) -> str:
    """Return a unit that stands in the plural as it stands beside n."""
    return unit.removesuffix("s") if n == 1 else unit


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
