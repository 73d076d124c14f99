"""What a shift changes, what depth buys, and how concentrated the positions are that scores rest on."""

from collections.abc import Sequence

import numpy as np

from vicinal.evidence.ladder.answer import Answer, Evidence, judged, metric_of
from vicinal.evidence.ladder.contrasts import holm
from vicinal.evidence.ladder.wording import grouped, joined, signed

__all__ = ["concentration", "hierarchy", "translation"]

_SHIFT = 0.1
"""Share of a signal's length at which the claim about shifts is judged."""
_MARGIN = 0.02
"""Of the metric: who is shown to lose less by a shift counts as indifferent to it."""


def translation(evidence: Evidence) -> Answer | None:
    """Judge by a shift of a tenth: who falls, and who is shown to lose less than the margin.

    Each network by its own interval: that all of them fall, or none loses more, is a claim that needs each to be shown,
    so the answers "No" and "Yes" need no correction (intersection and union of hypotheses, Berger 1982).
    """
    points = {
        name: point
        for name, one in evidence["networks"].items()
        for point in one["translation"]
        if abs(point["shift"] - _SHIFT) < 1e-9 and point["change"] and point["change"]["low"] is not None
    }
    if not points:
        return None
    lost = [name for name in points if _is_near_chance(evidence, name)]
    signs = {name: _fate(point["change"]) for name, point in points.items() if name not in lost}
    titles = {-1: "Falls", 1: f"Loses less than {_MARGIN:g}", 0: "Not shown to be either"}
    groups = [
        (title, [f"{name} {_told(points[name])}" for name, its in signs.items() if its == sign])
        for sign, title in titles.items()
    ]
    groups.append(("Not shown to be above chance, so with nothing to lose", lost))
    start = f"What a shift by {100 * _SHIFT:.0f} % of its length changes in {metric_of(evidence)} and in decisions."
    rule = (
        " Each by its own interval of 95 %: of many, one may be named by chance." if len(points) > 1 else ""
    )
    kind = judged([*signs.values(), *(0 for _ in lost)])
    return Answer("Indifferent to shifts?", kind, f"{start} {grouped(groups)}{rule}")


def _fate(change: Evidence) -> int:
    """Return 1 where less than the margin is lost, though something may be, -1 where the metric falls, else 0."""
    return 1 if change["low"] > -_MARGIN else -1 if change["high"] < 0 else 0


def _is_near_chance(evidence: Evidence, name: str) -> bool:
    """Return whether a network is not told from a coin on signals as they are, by the metric whose chance is known."""
    low = evidence["networks"][name]["translation"][0].get("low")
    return evidence["metric"] == "auroc" and low is not None and low <= 0.5


def _told(point: Evidence) -> str:
    decided = point["decisions_changed"]
    share = "" if decided is None or np.isnan(decided) else f" and {100 * decided:.0f} % of decisions"
    return f"{signed(point['change'])}{share}"


def hierarchy(evidence: Evidence) -> Answer | None:
    """Judge by the whole network minus its first stage alone, after Holm's correction over the networks."""
    cuts = {
        name: one["stages"]
        for name, one in evidence["networks"].items()
        if len(one["stages"]) > 1 and one["stages"][0].get("whole_minus_cut")
    }
    if not cuts:
        return None
    p = holm(np.array([stages[0]["whole_minus_cut"]["p"] for stages in cuts.values()], dtype=np.float64))
    lost = {name: stages[0]["whole_minus_cut"] for name, stages in cuts.items()}
    signs = {
        name: 0 if not corrected < 0.05 else 1 if lost[name]["value"] > 0 else -1
        for name, corrected in zip(cuts, p, strict=True)
    }
    groups = [
        (title, [_gained(name, stages) for name, stages in cuts.items() if signs[name] == sign])
        for sign, title in ((1, "Better, shown"), (-1, "Worse, shown"), (0, "Not shown"))
    ]
    rule = f" Holm's correction over {len(cuts)}; intervals of 95 % each." if len(cuts) > 1 else ""
    start = "The whole network against its first stage alone."
    return Answer("Does hierarchy help?", judged(list(signs.values())), f"{start} {grouped(groups)}{rule}")


def _gained(name: str, stages: Sequence[Evidence]) -> str:
    first = stages[0]
    ms, samples = first["receptive_field_ms"], first["receptive_field_samples"]
    # Both, since the rate of a contract can be a stand-in where none is known.
    sees = "" if ms is None else f" over a first that sees {samples:,} samples ({ms:,.{int(ms < 10)}f} ms)"
    return f"{name} ({len(stages)} stages) {signed(first['whole_minus_cut'])}{sees}"


def concentration(evidence: Evidence) -> Answer | None:
    """Tell what the strongest tenth of the positions holds; None where fewer than two networks were looked at."""
    parts = [
        f"{name} {100 * one['concentration']['value']:.0f} % ({100 * one['concentration']['low']:.0f} to "
        f"{100 * one['concentration']['high']:.0f})"
        for name, one in evidence["networks"].items()
        if one["concentration"]
    ]
    if len(parts) < 2:
        return None
    sentence = (
        f"The strongest tenth of the positions holds, of all that hiding changes: {joined(parts)}; evenly spread it "
        "would be 10 %. That a map is concentrated does not make it right."
    )
    return Answer("Where do scores rest?", "told", sentence)
