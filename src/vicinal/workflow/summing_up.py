"""From the outcomes of all trials to `compare.json`: what `docs/compare.md` describes.

Wiring: intervals, contrasts and sentences are made in `evidence/ladder/`.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from vicinal.errors import TrainingError
from vicinal.evidence.ladder.answer import base_of
from vicinal.evidence.ladder.contrasts import contrasts
from vicinal.evidence.ladder.estimate import between, estimate
from vicinal.evidence.ladder.needed import Needed, needed, ratio
from vicinal.evidence.ladder.sample import Sample, sample_of
from vicinal.evidence.ladder.translation import Moved, translation
from vicinal.evidence.ladder.verdict import verdict
from vicinal.experiment import Experiment
from vicinal.representations.stack import stack_of
from vicinal.terminal import Show
from vicinal.workflow.contenders import Contender
from vicinal.workflow.removing import burdens
from vicinal.workflow.summing_curves import are_enough, curve_of, gap_contrasts, gaps_of, points_of
from vicinal.workflow.trial import Outcome, gathered_for

__all__ = ["sum_up"]

Performed = Sequence[tuple[Contender, list[Outcome]]]


def sum_up(
    performed: Performed,
    *,
    left_in: Sequence[tuple[Contender, str]],
    experiment: Experiment,
    data: Path | None,
    asked: Mapping[str, Any],
    protocol: Mapping[str, Any],
    show: Show,
) -> dict[str, Any]:
    """Return the evidence of a comparison as JSON values.

    Args:    performed: every network with its outcomes; one cut to fewer stages follows its whole.
             left_in: those without a step that cannot be left out, with why; they were not trained.
             asked: metric, target, by, rates.  protocol: what else is stated of how it was made.
    """
    metric, resamples = str(asked["metric"]), experiment.evidence.resamples
    gathered = gathered_for(experiment, data)
    whole = [(one, outcomes) for one, outcomes in performed if not one.of]
    curves = {}
    with show.progress("resampling") as update:
        for done, (one, outcomes) in enumerate(whole, start=1):
            curves[one.name] = curve_of(outcomes, metric, resamples=resamples, seed=experiment.seed)
            update(done, len(whole))
        _refuse_failure(whole, curves)
        full = _with_all(whole, curves)
        target = asked["target"] if asked["target"] is not None else _reachable(curves)
        # By its name, so that the order in which networks are asked for changes nothing.
        found = {
            name: needed(curve, target, seed=crc32(name.encode())) for name, curve in curves.items() if curve
        }
        networks = {}
        for done, (one, outcomes) in enumerate(whole, start=1):
            entry = _costs(one, outcomes)
            entry |= {"seconds_to_target": _seconds_to(target, metric, entry)}
            entry |= {"curve": points_of(outcomes, curves[one.name])}
            entry |= {"needed": found[one.name].to_dict() if one.name in found else None}
            entry |= _measured(outcomes, metric, resamples, experiment.seed, gathered.pack.ids)
            entry |= {"stages": _stages(one, performed, full, metric, resamples, experiment.seed)}
            networks[one.name] = entry
            update(done, len(whole))
    same = _on_the_same_rows(full, whole)
    rows = next((one.test for _, outcomes in whole for one in outcomes if one.test is not None), None)
    evidence: dict[str, Any] = {
        "title": experiment.title,
        "metric": metric,
        "target": target,
        "target_stated": asked["target"] is not None,
        "match": asked["by"],
        "rates": asked["rates"],
        "test": {
            "n": 0 if rows is None else len(rows),
            "n_subjects": None if rows is None else rows.n_subjects,
        },
        "unit": "subjects" if gathered.pack.subjects is not None else "recordings",
        "n_seeds": len({outcome.facts["seed"] for _, outcomes in whole for outcome in outcomes}),
        "networks": networks,
        "contrasts": [one.to_dict() for one in contrasts({name: full[name] for name in same})],
        "gap_contrasts": _gap_contrasts(same, whole, curves),
        "needed_ratios": _ratios(found),
        "removed": _removed(whole, left_in, full, data),
        "protocol": {
            **protocol,
            "split_hash": gathered.split.hash,
            "pack_hash": gathered.pack.hash,
            "resamples": resamples,
            "notes": list(gathered.pack.notes),
            "chosen_on": "validation",
            "evidence_rows": "test",
        },
    }
    return {**evidence, "verdict": verdict(evidence)}


def _with_all(whole: Performed, curves: Mapping[str, Mapping[int, Sample]]) -> dict[str, Sample]:
    """Return of each network its sample with all subjects; none of one of which too many broke off there."""
    sizes = {
        one.name: max(outcome.facts["n_train_subjects"] for outcome in outcomes) for one, outcomes in whole
    }
    return {name: curve[sizes[name]] for name, curve in curves.items() if sizes[name] in curve}


def _reachable(curves: Mapping[str, Mapping[int, Sample]]) -> float:
    """Return the metric that half of the networks reach with the most subjects, rounded down to a hundredth.

    Where half of them are far behind, as at chance, it is halfway between the worst and the best.
    """
    last = [curve[max(curve)].value for curve in curves.values() if curve]
    return float(np.floor(100 * max(statistics.median_high(last), (min(last) + max(last)) / 2)) / 100)


def _refuse_failure(whole: Performed, curves: Mapping[str, Mapping[int, Sample]]) -> None:
    """Refuse to sum up where of no network enough trainings came to an end."""
    if not any(curves.values()):
        problems = [
            one.facts["failed"] for _, outcomes in whole for one in outcomes if one.facts.get("failed")
        ]
        raise TrainingError(
            f"compare: {len(problems)} trainings broke off, and of no network two came to an end; the first said: "
            f"{problems[0]}"
        )


def _costs(one: Contender, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    facts = [outcome.facts for outcome in outcomes if not outcome.facts.get("tried")]
    done = [fact for fact in facts if not fact.get("failed")]
    full = [fact for fact in done if fact["share"] == 1]
    tried = [outcome.facts for outcome in outcomes]
    first = facts[0]
    measured = [outcome.measured for outcome in outcomes if outcome.measured is not None]
    n_found = Counter(kind for fact in full for kind, _ in fact["findings"])
    return {
        "network": first["network"],
        "match": one.match,
        "match_ratio": one.ratio,
        "width": one.width,
        "settings": dict(one.settings),
        "parameters": first["parameters"],
        "multiply_adds": first["multiply_adds"],
        "activation_bytes": first["activation_bytes"],
        "dense_equivalent_parameters": first["dense_equivalent_parameters"],
        "learning_rate": first["learning_rate"],
        "rates_tried": {
            f"{fact['learning_rate']:g}": fact.get("selected")
            for fact in tried
            if fact["share"] == 1 and fact["seed"] == first["seed"]
        },
        "train_seconds": _spread([fact["train_seconds"] for fact in full]),
        "step_ms": _spread([1000 * fact["train_seconds"] / fact["n_steps"] for fact in full]),
        "n_steps": _spread([fact["n_steps"] for fact in full]),
        "infer_per_second": _spread([one.per_second for one in measured]),
        "findings": dict(n_found),
        "failed": [fact["failed"] for fact in facts if fact.get("failed")],
        "select": full[0]["select"] if full else None,
        "history": [fact["history"] for fact in full],
        "n_trials": len(outcomes),
        "n_reused": sum(outcome.reused for outcome in outcomes),
    }


def _seconds_to(target: float, metric: str, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how long training took until validation rows were at the target, if measured by it."""
    if entry["select"] not in (metric, f"macro_{metric}"):
        return None
    first = [
        next((seconds for seconds, _, value in one if value is not None and value >= target), None)
        for one in entry["history"]
    ]
    reached = [seconds for seconds in first if seconds is not None]
    return {**(_spread(reached) or {}), "n_reached": len(reached), "n_seeds": len(first)}


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    """Return the median over trials, the least and the most: what is timed is not sampled."""
    if not values:
        return None
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def _measured(
    outcomes: Sequence[Outcome], metric: str, resamples: int, seed: int, ids: np.ndarray
) -> dict[str, Any]:
    """Return what shifts do, and how concentrated attribution is.

    Args:    ids: of the pack's rows.
    """
    moved, concentration = [], []
    for one in outcomes:
        if one.measured is None or one.test is None or one.facts.get("tried"):
            continue
        place = {identifier: k for k, identifier in enumerate(one.test.ids.tolist())}
        rows = np.array([place[identifier] for identifier in ids[one.measured.rows].tolist()], dtype=np.int64)
        moved.append(Moved(one.test.select(rows), one.measured.logits, one.measured.changed))
        concentration.append(one.measured.concentration)
        shifts = one.facts["shifts"]
    if not moved or not are_enough(len(moved), outcomes):
        return {"translation": [], "concentration": None}
    points = translation(moved, shifts, metric, resamples=resamples, seed=seed)
    return {"translation": points, "concentration": _concentration(np.array(concentration))}


def _concentration(parts: np.ndarray) -> dict[str, float] | None:
    """Return the mean over signals and seeds, with an interval over signals."""
    parts = parts[:, ~np.isnan(parts).all(axis=0)]
    if not parts.size:
        return None
    known = np.nanmean(parts, axis=0)
    rng = np.random.default_rng(0)
    drawn = known[rng.integers(0, len(known), (2000, len(known)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": float(known.mean()), "low": float(low), "high": float(high), "n_signals": len(known)}


def _stages(
    one: Contender,
    performed: Performed,
    full: Mapping[str, Sample],
    metric: str,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the receptive field of each stage, and what the network is worth when it is cut there."""
    blocks, cost = stack_of(one.network), one.inspect()
    cuts = {cut.n_blocks: outcomes for cut, outcomes in performed if cut.of == one.name}
    stages = []
    for k, end in enumerate(blocks.ends(), start=1):
        stage = cost.stages[end - 1]
        entry: dict[str, Any] = {
            "n_stages": k,
            "text": " | ".join(map(str, blocks.blocks[k - 1])),
            "receptive_field_samples": stage.receptive_field_samples,
            "receptive_field_ms": stage.receptive_field_ms,
        }
        tables = [outcome.test for outcome in cuts.get(k, []) if outcome.test is not None]
        if tables and are_enough(len(tables), cuts[k]) and one.name in full:
            sample = sample_of(tables, metric, resamples=resamples, seed=seed)
            entry |= estimate(sample).to_dict() | {"parameters": cuts[k][0].facts["parameters"]}
            lost = estimate(between(full[one.name], sample), scale="difference")
            entry["whole_minus_cut"] = {**lost.to_dict(), "p": lost.p}
        elif k == len(blocks.blocks) and one.name in full:
            entry |= estimate(full[one.name]).to_dict() | {"parameters": cost.parameters}
        stages.append(entry)
    return stages


def _on_the_same_rows(full: Mapping[str, Sample], whole: Performed) -> list[str]:
    """Return the networks that were tested on the rows that the first of them was tested on."""
    ids = {
        one.name: next(o.test.ids for o in outcomes if o.test is not None)
        for one, outcomes in whole
        if one.name in full
    }
    return [name for name in ids if np.array_equal(ids[name], ids[next(iter(ids))])]


def _gap_contrasts(
    names: Sequence[str], whole: Performed, curves: Mapping[str, Mapping[int, Sample]]
) -> list[dict[str, Any]]:
    """Compare how far networks overfit with how far the base does."""
    base = base_of(names)
    same = [name for name in names if list(curves[name]) == list(curves[base])]
    return gap_contrasts(
        {one.name: gaps_of(outcomes, curves[one.name]) for one, outcomes in whole if one.name in same}, base
    )


def _ratios(found: Mapping[str, Needed]) -> list[dict[str, Any]]:
    """Return every network's subjects over those of the first (`dense` where it is one of them)."""
    if len(found) < 2:
        return []
    first = base_of(list(found))
    others = [name for name in found if name != first]
    made = {name: ratio(found[name], found[first], n_compared=len(others)) for name in others}
    return [
        {"a": name, "b": first, "n_compared": len(others), **one.to_dict()}
        for name, one in made.items()
        if one is not None
    ]


def _removed(
    whole: Performed,
    left_in: Sequence[tuple[Contender, str]],
    full: Mapping[str, Sample],
    data: Path | None,
) -> list[dict[str, Any]]:
    """Return what each entry that was taken out of a list had bought, and what it costs to keep."""
    base = next((one for one, _ in whole if one.removed is None), None)
    out = [(one, None) for one, _ in whole if one.removed is not None] + list(left_in)
    if base is None or not out or base.name not in full:
        return []
    names = [base.name, *(one.name for one, _ in out if one.name in full)]
    made = contrasts({name: full[name] for name in names}, [(base.name, name) for name in names[1:]])
    gains = {one.b: one for one in made}
    return [
        {
            "name": one.name,
            "key": one.removed[0] if one.removed else "",
            "entry": one.removed[1] if one.removed else None,
            "gain": gains[one.name].to_dict() if one.name in gains else None,
            "needed": why,
            **burdens(one.removed, base.experiment, data),
        }
        for one, why in out
    ]
