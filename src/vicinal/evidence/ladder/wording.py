"""Wording: the small phrases that verdicts are made of. Plain numbers and names in, words out."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "broke_off",
    "by",
    "factor",
    "grouped",
    "joined",
    "listed",
    "of_number",
    "signed",
    "subjects_needed",
]

_LONG = "; "
"""Between parts that hold commas themselves."""


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


def by(one: Mapping[str, Any]) -> str:
    """Return how far apart two are, whichever is above, with the interval: "by 0.100 (0.090 to 0.110)"."""
    value, low, high = (one[key] for key in ("value", "low", "high"))
    low, high = (low, high) if value > 0 else (-high, -low)
    return f"by {abs(value):.3f} ({low:.3f} to {high:.3f})"


def grouped(groups: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a sentence for each group that has members: "Smaller: conv +0.1, lstm +0.2."."""
    return " ".join(f"{title}: {joined(members)}." for title, members in groups if members)


def joined(parts: Sequence[str]) -> str:
    """Return parts between commas, or between semicolons where a part has a comma of its own."""
    return (_LONG if any(", " in part for part in parts) else ", ").join(parts)


def factor(value: float) -> str:
    """Return a ratio to two digits, or to whole numbers: never as 2.1e+02."""
    return f"{value:.2g}" if abs(value) < 99.5 else f"{value:,.0f}"


def of_number(n: int, unit: str) -> str:
    """Return a unit that stands in the plural as it stands beside n."""
    return unit.removesuffix("s") if n == 1 else unit


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: "a, b and c", or "a, 1; b, 2; and c, 3"."""
    if len(names) < 2:
        return "".join(names)
    if any(", " in name for name in names):
        return f"{_LONG.join(names[:-1])}; and {names[-1]}"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def subjects_needed(one: Mapping[str, Any]) -> str:
    """Return how many training subjects are needed, with the interval: "120 (90 to 278)".

    With the fewest that were tried nothing bounds the number from below, with the most nothing from above.

    Args:    one: as in `compare.json`, with `value`, `low`, `high`, `fewest_tried`, `most_tried`, `at_most`.
    """
    low, high = one["low"], one["high"]
    has_low = low is not None and low > one["fewest_tried"]
    if one["value"] is None:
        return f"over {one['most_tried']:,}" + (f" ({low:,.0f} or more)" if has_low else "")
    start = f"at most {one['value']:,.0f}" if one["at_most"] else f"{one['value']:,.0f}"
    if has_low:
        end = f"over {one['most_tried']:,}" if high is None else f"{high:,.0f}"
        return f"{start} ({low:,.0f} to {end})"
    if high is None:
        return f"{start} (not bounded)"
    return start if one["at_most"] and high <= one["value"] else f"{start} (up to {high:,.0f})"
