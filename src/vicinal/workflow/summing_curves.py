"""Learning curves of a comparison: from the outcomes of one network to its samples by number of training subjects.

Wiring: intervals and contrasts are made in `evidence/ladder/`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vicinal.evidence.ladder.contrasts import compared
from vicinal.evidence.ladder.estimate import estimate
from vicinal.evidence.ladder.sample import Sample, fixed, sample_of
from vicinal.workflow.trial import Outcome

__all__ = ["are_enough", "curve_of", "gap_contrasts", "gaps_of", "points_of"]

Curve = Mapping[int, Sample]
"""By number of training subjects, the fewest first."""


def curve_of(outcomes: Sequence[Outcome], metric: str, *, resamples: int, seed: int) -> dict[int, Sample]:
    """Return the metric of the test rows at each number of training subjects; none where too many broke off."""
    sizes = sorted({one.facts["n_train_subjects"] for one in outcomes})
    groups = {n: _of_size(outcomes, n) for n in sizes}
    return {
        n: sample_of(
            [one.test for one in group if one.test is not None], metric, resamples=resamples, seed=seed
        )
        for n, group in groups.items()
        if are_enough(len(group), outcomes)
    }


def are_enough(n_ended: int, outcomes: Sequence[Outcome]) -> bool:
    """Return whether so many trainings can stand for a network: one of several seeds says nothing of what seeds do."""
    n_seeds = len({one.facts["seed"] for one in outcomes})
    return n_ended >= min(n_seeds, 2)


def gaps_of(outcomes: Sequence[Outcome], curve: Curve) -> dict[int, Sample]:
    """Return the metric of the training rows minus that of the test rows, seed by seed, at each number of subjects."""
    return {
        n: fixed([one.facts["train_metric"] for one in _of_size(outcomes, n)], sample) - sample
        for n, sample in curve.items()
    }


def points_of(outcomes: Sequence[Outcome], curve: Curve) -> list[dict[str, Any]]:
    """Return the points of a curve as JSON values."""
    gaps, points = gaps_of(outcomes, curve), []
    for n, sample in curve.items():
        group = _of_size(outcomes, n)
        points.append(
            {
                "share": group[0].facts["share"],
                "n_train_subjects": n,
                "n_train_rows": group[0].facts["n_train_rows"],
                **estimate(sample).to_dict(),
                "seeds": sample.values.tolist(),
                "train": gaps[n].value + sample.value,
                "gap": estimate(gaps[n], scale="difference").to_dict(),
            }
        )
    return points


def gap_contrasts(gaps: Mapping[str, Curve], base: str) -> list[dict[str, Any]]:
    """Compare the gap of each network with that of the base, with the fewest and the most subjects to learn from.

    One correction holds for both numbers of subjects, since one answer is made of both.

    Args:    gaps: of each network, at the same numbers of subjects.  base: one of them.
    """
    if len(gaps) < 2:
        return []
    sizes = sorted({min(gaps[base]), max(gaps[base])})
    asked = [(n, name) for n in sizes for name in gaps if name != base]
    made = compared([(name, base, gaps[name][n], gaps[base][n]) for n, name in asked])
    return [{**one.to_dict(), "n_train_subjects": n} for (n, _), one in zip(asked, made, strict=True)]


def _of_size(outcomes: Sequence[Outcome], n_subjects: int) -> list[Outcome]:
    """Return one outcome for each seed: shares that round to the same number of subjects train the same network."""
    found = {
        one.facts["seed"]: one
        for one in sorted(outcomes, key=lambda one: one.facts["share"])
        if one.test is not None and not one.facts.get("tried") and one.facts["n_train_subjects"] == n_subjects
    }
    return [found[seed] for seed in sorted(found)]
