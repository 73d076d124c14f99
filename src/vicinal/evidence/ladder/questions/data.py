"""Whether a network needs fewer subjects than the base, and whether it overfits less."""

from collections.abc import Sequence

from vicinal.evidence.ladder.answer import Answer, Evidence, base_with_others, judged, metric_of
from vicinal.evidence.ladder.wording import by, factor, grouped, listed, of_number, signed, subjects_needed

__all__ = ["less_data", "less_overfitting"]

_ALIKE = "Not shown to differ"


def less_data(evidence: Evidence) -> Answer | None:
    """Judge by the ratios of subjects needed; None where there is no curve or nothing to compare."""
    base, others = base_with_others(evidence)
    if not others or all(len(one["curve"]) < 2 for one in evidence["networks"].values()):
        return None
    made = {one["a"]: one for one in evidence["needed_ratios"]}
    found = [made[name] for name in others if name in made]
    absent = [name for name in others if name not in made]
    signs = [0 if not one["clear"] else 1 if _is_below(one) else -1 for one in found] + [0] * len(absent)
    groups = [
        (
            "Times as many by the curves (by their intervals), shown",
            [f"{one['a']} {_times(one)}" for one in found if one["clear"]],
        ),
        (
            "Times as many by the curves (by their intervals), not shown",
            [f"{one['a']} {_times(one)}" for one in found if not one["clear"]],
        ),
    ]
    needed = evidence["networks"][base]["needed"]
    number = "an unknown number of" if needed is None else subjects_needed(needed)
    sentences = [
        f"For {metric_of(evidence)} {evidence['target']:g}, {base} needs {number} {evidence['unit']}.",
        grouped(groups),
        f"{listed([base, *absent])} do not get there, so no ratio of them is known." if absent else "",
        f"Level {1 - 0.05 / len(others):.3g} each." if len(found) > 1 else "",
        "Between the numbers tried curves are taken for straight." if found else "",
    ]
    return Answer(f"Less data than {base}?", judged(signs), " ".join(one for one in sentences if one))


def _is_below(one: Evidence) -> bool:
    return one["high"] is not None and one["high"] < 1


def _times(one: Evidence) -> str:
    high = "any number" if one["high"] is None else factor(one["high"])
    bound = f"{one['bound']} " if one["bound"] else ""
    return f"{bound}{factor(one['value'])} ({factor(one['low'])} to {high})"


def less_overfitting(evidence: Evidence) -> Answer | None:
    """Judge by the differences of gaps, with the fewest subjects and with all; None where there are none."""
    found = evidence["gap_contrasts"]
    if not found:
        return None
    base = found[0]["b"]
    sentences = [
        _at(evidence, n, [one for one in found if one["n_train_subjects"] == n])
        for n in dict.fromkeys(one["n_train_subjects"] for one in found)
    ]
    signs = [0 if not one["clear"] else 1 if one["value"] < 0 else -1 for one in found]
    rule = f" Holm's correction over {len(found)} differences." if len(found) > 1 else ""
    return Answer(f"Less overfitting than {base}?", judged(signs), " ".join(sentences) + rule)


def _at(evidence: Evidence, n: int, made: Sequence[Evidence]) -> str:
    """Return the sentence on one number of training subjects."""
    base = made[0]["b"]
    groups = [
        (title, [f"{one['a']} {by(one)}" for one in made if _title(one) == title])
        for title in ("Smaller", "Larger")
    ]
    groups.append((_ALIKE, [one["a"] for one in made if _title(one) == _ALIKE]))
    return (
        f"With {n:,} training {of_number(n, evidence['unit'])}, training minus test {metric_of(evidence)} of {base} "
        f"is {_gap_of(evidence, base, n)}. {grouped(groups)}"
    )


def _gap_of(evidence: Evidence, name: str, n_subjects: int) -> str:
    curve = evidence["networks"][name]["curve"]
    return signed(next(point["gap"] for point in curve if point["n_train_subjects"] == n_subjects))


def _title(one: Evidence) -> str:
    return _ALIKE if not one["clear"] else "Larger" if one["value"] > 0 else "Smaller"
