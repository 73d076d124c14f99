"""How one metric of `evidence.json` reads in a table of the terminal; formats, computes nothing."""

from collections.abc import Mapping
from typing import Any

__all__ = ["count_cell", "interval_cell", "value_cell"]


def value_cell(metric: Mapping[str, Any]) -> str:
    """Return the value, "-" where there is none."""
    return "-" if metric["value"] is None else f"{metric['value']:.3f}"


def interval_cell(metric: Mapping[str, Any]) -> str:
    """Return the interval, "-" where there is none, and the word "unreliable" where it is."""
    known = metric["low"] is not None and metric["high"] is not None
    words = f"{metric['low']:.3f} to {metric['high']:.3f}" if known else "-"
    return f"{words} unreliable" if metric.get("unreliable") else words


def count_cell(metric: Mapping[str, Any]) -> str:
    """Return the number of rows, "-" where it is not said."""
    return f"{metric['n']:,}" if metric.get("n") is not None else "-"
