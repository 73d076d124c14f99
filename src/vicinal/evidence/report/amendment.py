"""A box at the top of a finished report: what the policy that was put in afterwards comes to.

Takes the page and the evidence, returns the page; everything else on it stays as it was, and the box says so.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from vicinal.errors import FormatError
from vicinal.evidence.report.plots import people_plot

__all__ = ["amend"]

_START, _END = "<!-- decided again -->", "<!-- end of decided again -->"
_PLACE = '<div class="headline">'
_PEOPLE = ("found", "missed", "referred", "false_alarms")


def amend(page: str, evidence: Mapping[str, Any]) -> str:
    """Return the page with one box that tells of the present policy, in place of an earlier such box.

    Args:    page: a report.  evidence: with `policy`, `meaning`, and `decided_by` in `protocol`.
    Raises:  FormatError: when the page is no report.
    """
    # Text in a report is escaped, so neither marker can come from a title or a name.
    page = re.sub(f"{_START}.*?{_END}\n", "", page, flags=re.DOTALL)
    if _PLACE not in page:
        raise FormatError(
            "report.html: expected a report that `vicinal run` wrote. Move it away, and decide again."
        )
    before, after = page.split(_PLACE, 1)
    return f"{before}{_START}\n{_box(evidence)}{_END}\n{_PLACE}{after}"


def _box(evidence: Mapping[str, Any]) -> str:
    meaning, policy = evidence["meaning"], evidence["policy"]
    picture = _picture(meaning)
    thresholds = ", ".join(
        f"{escape(name)} {value:.4g}"
        for name, value in zip(policy["classes"], policy["thresholds"], strict=False)
    )
    at = f" Threshold: {thresholds}." if thresholds else ""
    return (
        '<div class="note warning"><b>decided again</b>'
        f"<code>{escape(evidence['protocol']['decided_by'])}</code> replaced the policy after this page was made. "
        f"This box is about the present one, {escape(policy['aim'])}; everything below it is about the policy of the "
        f"run.{at} The present numbers are in <code>evidence.json</code>.</div>\n"
        f'<div class="card{" meaning" if picture else ""}" style="margin-bottom:24px">\n'
        f"<p>{escape(meaning.get('sentence', ''))}</p>\n{picture}</div>\n"
    )


def _picture(meaning: Mapping[str, Any]) -> str:
    if not all(isinstance(meaning.get(name), Mapping) for name in _PEOPLE):
        return ""
    counts = {name: float(meaning[name]["value"]) for name in _PEOPLE}
    keys = "".join(
        f'<li class="{name}"><i></i>{_count(meaning[name]["value"])} {name.replace("_", " ")}'
        f"<small>{_count(meaning[name]['low'])} to {_count(meaning[name]['high'])}</small></li>\n"
        for name in _PEOPLE
        if counts[name] > 0 or name != "referred"
    )
    rest = '<li class="rest"><i></i>rightly left alone<small>each dot one of 1,000</small></li>\n'
    return f'<div>\n{people_plot(counts)}\n<ul class="key">\n{keys}{rest}</ul>\n</div>\n'


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 or value == round(value) else f"{value:.1f}"
