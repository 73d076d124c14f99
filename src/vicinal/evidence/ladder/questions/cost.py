"""Whether a network is faster than the base, how soon each gets to the target, and how many parameters each has.

What is timed is not sampled: trainings share a machine with whatever else runs there, so medians of two networks that
are the same differ, and three trainings of each lie apart in one of ten pairs. Apart are therefore those of which all
trainings lie apart, by a tenth, and at least three.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from vicinal.evidence.ladder.answer import Answer, Evidence, base_with_others, judged, metric_of
from vicinal.evidence.ladder.wording import broke_off, factor, grouped, joined, listed

__all__ = ["faster", "fewer_parameters", "soon"]

_APART = 1.1
"""How many times as long the quickest training of one takes as the slowest of the other, at least."""
_FEWEST = 3
"""Trainings of each, at least, where times are told apart."""


def faster(evidence: Evidence) -> Answer | None:
    """Judge by the milliseconds of a step and the recordings scored a second."""
    base, others = base_with_others(evidence)
    networks = evidence["networks"]
    timed = [
        name for name in (base, *others) if networks[name]["step_ms"] and networks[name]["infer_per_second"]
    ]
    if base not in timed or len(timed) < 2:
        return None
    groups: list[tuple[str, list[str]]] = []
    signs: list[int] = []
    for title, times in (
        ("a step", {name: networks[name]["step_ms"] for name in timed}),
        ("scoring a recording", {name: _seconds(networks[name]["infer_per_second"]) for name in timed}),
    ):
        counts = {name: len(networks[name]["history"]) for name in timed}
        found = {name: _sign(name, base, times, counts) for name in timed if name != base}
        signs += found.values()
        for words, sign in (("shorter", 1), ("longer", -1), ("not told apart", 0)):
            members = [f"{name} {_times(times, name, base)}" for name in found if found[name] == sign]
            groups.append((f"Time of {title}, {words}", members))
    few = (
        f" Fewer than {_FEWEST} trainings each tell no times apart." if evidence["n_seeds"] < _FEWEST else ""
    )
    sentence = f"As multiples of {base}'s. {grouped(groups)}{few}"
    return Answer(f"Faster than {base}?", judged(signs), sentence, is_by_chance=False)


def _seconds(per_second: Evidence) -> dict[str, float]:
    return {
        "median": 1 / per_second["median"],
        "least": 1 / per_second["most"],
        "most": 1 / per_second["least"],
    }


def _sign(name: str, base: str, times: Mapping[str, Evidence], counts: Mapping[str, int]) -> int:
    if min(counts[name], counts[base]) < _FEWEST:
        return 0
    if times[base]["least"] > _APART * times[name]["most"]:
        return 1
    return -1 if times[name]["least"] > _APART * times[base]["most"] else 0


def _times(times: Mapping[str, Evidence], name: str, base: str) -> str:
    return factor(times[name]["median"] / times[base]["median"])


def soon(evidence: Evidence) -> Answer | None:
    """Tell how soon each got to the target while it was trained, beside what the monitor found."""
    networks = evidence["networks"]
    known = {name: one["seconds_to_target"] for name, one in networks.items() if _has_reached(one)}
    if len(known) < 2:
        return None
    parts, calm = [], {}
    for name, one in networks.items():
        if name not in known and not one["failed"]:
            continue
        problems = _problems(one)
        parts.append(f"{name}{_when(known.get(name))}{' with ' + listed(problems) if problems else ''}")
        if name in known and not problems and known[name]["n_reached"] == known[name]["n_seeds"]:
            calm[name] = known[name]
    sentence = (
        f"Validation {metric_of(evidence)} {evidence['target']:g}: {'; '.join(parts)}. {_soonest(calm)}"
    )
    return Answer("How soon, and how steadily?", "told", sentence)


def _has_reached(network: Evidence) -> bool:
    """Return whether it is known when each seed reached the target, if it did."""
    return bool(network["seconds_to_target"] and network["seconds_to_target"]["n_seeds"])


def _when(one: Evidence | None) -> str:
    if one is None:
        return ""
    seeds = f"{one['n_reached']} of {one['n_seeds']} seeds"
    if not one["n_reached"]:
        return f" never ({seeds})"
    return f" after {one['median']:.1f} s ({one['least']:.1f} to {one['most']:.1f}, {seeds})"


def _problems(network: Evidence) -> list[str]:
    n = len(network["history"])
    found = [f"{kind} {k} of {n}" for kind, k in network["findings"].items() if kind != "stopped early"]
    return found + ([broke_off(len(network["failed"]))] if network["failed"] else [])


def _soonest(calm: Mapping[str, Evidence]) -> str:
    """Return who arrives first of those that always arrive and of whom nothing was found, with who may be as soon."""
    if not calm:
        return "None always arrives without a finding."
    first = min(calm, key=lambda name: calm[name]["median"])
    near = [name for name in calm if name != first and calm[name]["least"] <= _APART * calm[first]["most"]]
    if len(calm) == 1:
        return f"{first} alone always arrives without a finding."
    if calm[first]["n_seeds"] < _FEWEST:
        return f"By its median {first} arrives first; {_FEWEST} seeds would tell times apart."
    also = f", not told apart from {listed(near)}" if near else ""
    return f"Soonest without a finding: {first}{also}."


def fewer_parameters(evidence: Evidence) -> Answer | None:
    """Judge by counts; where they were matched there is nothing to judge, and nothing to say of one network."""
    base, others = base_with_others(evidence)
    networks = evidence["networks"]
    if evidence["removed"] or len({networks[name]["parameters"] for name in (base, *others) if name}) < 2:
        return None
    count, question = networks[base]["parameters"], f"Fewer parameters than {base}?"
    counted = joined([f"{name} {factor(networks[name]['parameters'] / count)} times" for name in others])
    as_dense = _as_dense((base, *others), networks)
    fixed = [name for name in (base, *others) if networks[name]["match_ratio"] is None]
    were_matched = len(fixed) <= len(others)
    if were_matched and evidence["match"] == "parameters":
        but = f" but for those of {listed(fixed)}" if fixed else ""
        start = f"Parameters were matched{but}, {base} has {count:,}: "
        return Answer(question, "told", f"{start}{counted}.{as_dense}", is_by_chance=False)
    signs = [int(np.sign(count - networks[name]["parameters"])) for name in others]
    start = f"{'At matched multiply-adds' if were_matched else 'Nothing was matched,'} {base} has {count:,}: "
    return Answer(question, judged(signs), f"{start}{counted}.{as_dense}", is_by_chance=False)


def _as_dense(names: Sequence[str], networks: Evidence) -> str:
    """Return how many parameters dense layers between the same values would have; fixed windows have no such layers."""
    times = {
        name: networks[name]["dense_equivalent_parameters"] / networks[name]["parameters"] for name in names
    }
    found = [f"{name} {factor(value)} times its own" for name, value in times.items() if value >= 1.5]
    return f" Dense layers between the same values would have: {joined(found)}." if found else ""
