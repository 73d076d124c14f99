"""The table of a comparison: one network a line, in words ready to be printed or shown.

Reads plain data, `compare.json`; computes nothing.
"""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.ladder.wording import subjects_needed
from vicinal.evidence.metric import in_words

__all__ = ["comparison_rows", "rows_in_words", "with_all"]

Evidence = Mapping[str, Any]


def comparison_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table: one network a line."""
    metric = in_words(evidence["metric"])
    unit = evidence["unit"]
    columns = [
        "network", "parameters", "multiply-adds", "train s", "scores/s", "memory kB", f"{metric} (95 %)",
        f"{unit} for {evidence['target']:g}", "fit", "gap", "shifted 10 %", "changed", "in a tenth",
    ]  # fmt: skip
    return columns, [_line(name, one) for name, one in evidence["networks"].items()]


def _line(name: str, one: Evidence) -> list[str]:
    last = with_all(one)
    point = next((p for p in one["translation"] if abs(p["shift"] - 0.1) < 1e-9), None)
    return [
        name,
        f"{one['parameters']:,}",
        f"{one['multiply_adds']:,}",
        _median(one["train_seconds"], ".1f"),
        _median(one["infer_per_second"], ",.0f"),
        f"{(one['activation_bytes'] + 4 * one['parameters']) / 1000:,.0f}",
        "failed" if last is None else _interval(last),
        "" if one["needed"] is None else subjects_needed(one["needed"]),
        "" if last is None else f"{last['train']:.3f}",
        "" if last is None or last["gap"]["value"] is None else f"{last['gap']['value']:+.3f}",
        "" if point is None else f"{point['value']:.3f}",
        ""
        if point is None or point["decisions_changed"] is None
        else f"{100 * point['decisions_changed']:.0f} %",
        "" if one["concentration"] is None else f"{100 * one['concentration']['value']:.0f} %",
    ]


def with_all(network: Evidence) -> Evidence | None:
    """Return the point of a curve with all training subjects; None where every training with them broke off."""
    return next((point for point in network["curve"] if point["share"] == 1), None)


def rows_in_words(evidence: Evidence) -> str:
    """Return what was tested in words: rows, subjects and seeds."""
    test, n = evidence["test"], evidence["n_seeds"]
    subjects = "" if test["n_subjects"] is None else f" of {test['n_subjects']:,} subjects"
    return f"{test['n']:,} test rows{subjects}, {n} seed{'s' if n > 1 else ''}"


def _median(one: Evidence | None, form: str) -> str:
    return "" if one is None else format(one["median"], form)


def _interval(one: Evidence) -> str:
    low, high = one["low"], one["high"]
    return f"{one['value']:.3f}" + ("" if low is None else f" ({low:.3f} to {high:.3f})")
