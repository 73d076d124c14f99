"""The classic claims about locality and shared weights, judged by the rows of a comparison.

Every sentence is computed from the rows and claims no more than their intervals allow. Networks are compared
at the same regime and number of training subjects. Must not know networks, training or terminals.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vicinal.evidence.intervals import Difference, paired_auroc
from vicinal.evidence.ladder.row import Bias, Row, bias_of
from vicinal.scoretable import ScoreTable

__all__ = ["Claim", "Verdict", "claims"]

Verdict = Literal["true", "partly", "false", "not shown"]

_SPOKEN = {
    "true": "True here",
    "partly": "Partly true here",
    "false": "False here",
    "not shown": "Not shown here",
}
_SAME = 1.1
"""Seconds within this factor of each other are called the same: they are timed, not sampled."""


@dataclass(frozen=True)
class Claim:
    """One classic claim, whether it holds on these rows, and the sentence that says so."""

    question: str
    verdict: Verdict
    sentence: str


Cells = dict[tuple[str, int], dict[Bias, Row]]


def claims(rows: Sequence[Row], *, resamples: int = 2000, seed: int = 0) -> list[Claim]:
    """Return the classic claims these rows can judge: faster, fewer parameters, less data, shift-invariant.

    Args:    rows: of one comparison; the first of each bias in each regime and cohort counts.
             resamples, seed: of the paired differences.
    """
    cells: Cells = {}
    for row in rows:
        cells.setdefault((row.regime, row.n_train_subjects), {}).setdefault(bias_of(row.network), row)

    def difference(a: Row, b: Row) -> Difference:
        return _difference(a, b, resamples=resamples, seed=seed)

    found = (_faster(cells), _fewer(cells), _less_data(cells, difference), _invariant(cells))
    return [claim for claim in found if claim is not None]


def _faster(cells: Cells) -> Claim | None:
    pairs = [(found["conv"], found["dense"]) for found in cells.values() if {"conv", "dense"} <= set(found)]
    if not pairs:
        return None
    ratios = sorted(conv.train_seconds / dense.train_seconds for conv, dense in pairs)
    work = float(np.median([conv.multiply_adds / dense.multiply_adds for conv, dense in pairs]))
    typical, low, high = float(np.median(ratios)), ratios[0], ratios[-1]
    verdict: Verdict
    if high < 1 / _SAME:
        verdict, why = "true", "less arithmetic, less time"
        if work >= 1:
            why = "the arithmetic is not what takes the time at this size"
    elif low >= 1 / _SAME:
        verdict, why = "false", "at this size the time goes into calls, not arithmetic"
        if work >= 1:
            why = "sharing weights saves parameters, not arithmetic"
    else:
        verdict, why = "not shown", "the comparisons do not agree, and seconds are timed once each"
    against = (verdict == "true") == (work >= 1)
    link = "although it needs" if against else "and it needs"
    spread = f" ({low:.2g} to {high:.2g} over {len(ratios)} comparisons)" if len(ratios) > 1 else ""
    sentence = (
        f"conv took {typical:.2g} x dense's seconds{spread}, {link} {work:.2g} x the multiply-adds: {why}"
    )
    return _claim("Faster", verdict, sentence + _costs_of_others(cells))


def _costs_of_others(cells: Cells) -> str:
    """Return how local and conv+mean compare with dense, as medians over the cells that hold both."""
    text = ""
    others: tuple[Bias, ...] = ("local", "conv+mean")
    for bias in others:
        pairs = [(found[bias], found["dense"]) for found in cells.values() if {bias, "dense"} <= set(found)]
        if pairs:
            seconds = np.median([row.train_seconds / dense.train_seconds for row, dense in pairs])
            work = np.median([row.multiply_adds / dense.multiply_adds for row, dense in pairs])
            text += f"; {bias} took {seconds:.2g} x, with {work:.2g} x the multiply-adds"
    return text


def _fewer(cells: Cells) -> Claim | None:
    for found in cells.values():
        if {"conv", "dense"} <= set(found):
            break
    else:
        return None
    dense, conv = found["dense"], found["conv"]
    others = [found[bias] for bias in ("local", "conv", "conv+mean") if bias in found]
    counts = ", ".join(f"{_named(row)} {row.parameters:,} ({_ratio(row, dense)} x)" for row in others)
    fewer = [row.parameters < dense.parameters for row in others]
    verdict: Verdict = "true" if all(fewer) else "partly" if any(fewer) else "false"
    if conv.parameters < dense.parameters:
        why = "windows cut connections"
        local = found.get("local")
        if local is not None and conv.parameters < local.parameters:
            why += f", and sharing keeps one copy of each window's weights ({_ratio(conv, local)} x local's)"
    else:
        why = "these windows and channels hold more weights than the connections they replace"
    return _claim("Fewer parameters", verdict, f"dense has {dense.parameters:,}, {counts}: {why}")


def _less_data(cells: Cells, difference: Callable[[Row, Row], Difference]) -> Claim | None:
    parts, signs = [], []
    for regime in dict.fromkeys(regime for regime, _ in cells):
        sizes = sorted(n for name, n in cells if name == regime)
        small, large = cells[regime, sizes[0]], cells[regime, sizes[-1]]
        if "dense" not in small:
            continue
        others = [small[bias] for bias in ("local", "conv", "conv+mean") if bias in small]
        compared = [(row, difference(row, small["dense"])) for row in others]
        if not compared:
            continue
        signs += [np.sign(found.value) if found.is_clear else 0.0 for _, found in compared]
        value, low, high = small["dense"].auroc
        where = f"{regime}, {sizes[0]:,}" if regime else f"{sizes[0]:,}"
        text = f"{where} training subjects, dense {value:.3f} ({low:.3f} to {high:.3f}): "
        text += ", ".join(_compared(row, found) for row, found in compared)
        winners = [row for row, found in compared if found.is_clear and found.value > 0]
        if winners and sizes[-1] > sizes[0] and "dense" in large:
            best = max(winners, key=lambda row: row.auroc[0])
            text += _against_more(best, sizes[-1], difference(best, large["dense"]))
        parts.append(text)
    if not parts:
        return None
    verdict: Verdict = "not shown"
    if all(sign > 0 for sign in signs):
        verdict = "true"
    elif any(sign > 0 for sign in signs):
        verdict = "partly"
    elif any(sign < 0 for sign in signs):
        verdict = "false"
    why = {
        "true": "what the network need not learn, it needs no data for",
        "partly": "a bias saves data where its claim about the data is true",
        "false": "with these data the bias takes away more than it saves",
        "not shown": "the intervals all hold 0, so these rows cannot tell",
    }[verdict]
    return _claim("Less data", verdict, "; ".join(parts) + f": {why}")


def _against_more(best: Row, n_subjects: int, found: Difference) -> str:
    if found.low > 0:
        return f"; {_named(best)} even beats dense trained on {n_subjects:,} ({_signed(found)})"
    if found.high < 0:
        return f"; dense trained on {n_subjects:,} beats it again ({_signed(found)})"
    return f"; dense needs about {n_subjects:,} for the same (difference {_signed(found)})"


def _invariant(cells: Cells) -> Claim | None:
    parts, flat, pooled = [], [], []
    for regime in dict.fromkeys(regime for regime, _ in cells):
        found = cells[regime, max(n for name, n in cells if name == regime)]
        alone, averaged = _shift(found.get("conv")), _shift(found.get("conv+mean"))
        if alone is None:
            continue
        flat.append(alone.fate)
        text = f"{regime + ', ' if regime else ''}shifted by {alone.shift}, flattened conv {_told(alone)}"
        if averaged is not None:
            pooled.append(averaged.fate)
            text += f", with mean pooling it {_told(averaged)}"
        parts.append(text)
    if not flat:
        return None
    verdict: Verdict
    if "falls" in flat:
        verdict, opening = "false", "conv alone is equivariant, not invariant"
    elif "holds" in flat:
        verdict, opening = "true", "flattened conv holds under the shifts tried"
    else:
        verdict, opening = "not shown", "a network near chance has nothing to lose"
    closing = ""
    if "falls" in flat and "falls" in pooled:
        closing = "; pooling does not remove all of it: edges, strides and what a shift cuts off remain"
    elif "falls" in flat and "holds" in pooled:
        closing = "; the mean over positions forgets where a pattern was"
    return _claim("Shift-invariant", verdict, f"{opening}: {'; '.join(parts)}{closing}")


@dataclass(frozen=True)
class _Shift:
    """AUROC without and with the largest shift; `fate` after the interval of the first."""

    shift: int
    before: float
    after: float
    fate: Literal["falls", "holds", "near chance"]


def _shift(row: Row | None) -> _Shift | None:
    if row is None:
        return None
    moved = {shift: value for shift, value in row.shifted.items() if shift and math.isfinite(value)}
    if not moved:
        return None
    before, low, _ = row.auroc
    shift = max(moved)
    if low <= 0.5:
        return _Shift(shift, before, moved[shift], "near chance")
    return _Shift(shift, before, moved[shift], "falls" if moved[shift] < low else "holds")


def _told(found: _Shift) -> str:
    if found.fate == "falls":
        return f"falls from {found.before:.3f} to {found.after:.3f}"
    if found.fate == "holds":
        return f"goes from {found.before:.3f} to {found.after:.3f}, which its interval allows"
    return f"is near chance before ({found.before:.3f}) and after ({found.after:.3f})"


def _difference(a: Row, b: Row, *, resamples: int, seed: int) -> Difference:
    """Return AUROC of a minus AUROC of b: paired where both scored the same rows, else as if independent."""
    if a.scores is not None and b.scores is not None and _same_rows(a.scores, b.scores):
        return paired_auroc(a.scores, b.scores, resamples=resamples, seed=seed)
    (x, x_low, x_high), (y, y_low, y_high) = a.auroc, b.auroc
    # Newcombe's combination of two intervals; on the same rows it is wider than the paired one.
    low = x - y - math.hypot(x - x_low, y_high - y)
    high = x - y + math.hypot(x_high - x, y - y_low)
    return Difference(x - y, low, high, 0, None)


def _same_rows(a: ScoreTable, b: ScoreTable) -> bool:
    return len(a) == len(b) and a.classes == b.classes and bool((np.sort(a.ids) == np.sort(b.ids)).all())


def _compared(row: Row, found: Difference) -> str:
    if not found.is_clear:
        return f"{_named(row)} does not differ clearly ({_signed(found)})"
    return f"{_named(row)} is {'better' if found.value > 0 else 'worse'} ({_signed(found)})"


def _named(row: Row) -> str:
    bias = bias_of(row.network)
    return row.name if bias == "other" else bias


def _ratio(a: Row, b: Row) -> str:
    return f"{a.parameters / b.parameters:.2g}"


def _signed(found: Difference) -> str:
    return f"{found.value:+.3f}, {found.low:+.3f} to {found.high:+.3f}"


def _claim(question: str, verdict: Verdict, sentence: str) -> Claim:
    return Claim(question, verdict, f"{question}? {_SPOKEN[verdict]}: {sentence}.")
