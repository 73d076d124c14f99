"""Whether one network is shown to be best, and what is shown of each pair with it."""

from collections.abc import Sequence

from vicinal.evidence.ladder.answer import Answer, Evidence, metric_of
from vicinal.evidence.ladder.table import with_all
from vicinal.evidence.ladder.wording import by, grouped, joined, listed

__all__ = ["best"]

_QUESTION = "Is one shown to be best?"


def best(evidence: Evidence) -> Answer | None:
    """Judge by all pairs; None where there is none."""
    contrasts = evidence["contrasts"]
    if not contrasts:
        return None
    clear = [one for one in contrasts if one["clear"]]
    n = len(contrasts)
    rule = f"Holm's correction over {n} pairs" if n > 1 else "one pair"
    metric = metric_of(evidence)
    names = list(dict.fromkeys(one[side] for one in contrasts for side in ("a", "b")))
    fewer = _with_fewer_seeds(evidence) + _left_out(evidence, names)
    if not clear:
        sentence = f"No two of {listed(names)} are shown to differ in {metric} ({rule}).{fewer}"
        return Answer(_QUESTION, "not shown", sentence)
    below = {_worse(one) for one in clear}
    tops = [name for name in names if name not in below]
    shown = [one for one in clear if one["a"] in tops or one["b"] in tops]
    above_all = len(tops) == 1 and len(shown) == len(names) - 1
    start = f"{listed(tops)} {'is' if len(tops) == 1 else 'are'} beaten by none"
    sentence = (
        f"In {metric}, {start}; {'; '.join(_by_other([_turned(one) for one in shown]))} ({rule}).{fewer}"
    )
    return Answer(_QUESTION, "true" if above_all else "partly", sentence)


def _with_fewer_seeds(evidence: Evidence) -> str:
    """Return a sentence on networks of which some trainings broke off, as those that end are the better ones."""
    points = {name: with_all(one) for name, one in evidence["networks"].items()}
    n = evidence["n_seeds"]
    told = [
        f"{name} by {len(point['seeds'])} of {n} seeds"
        for name, point in points.items()
        if point is not None and len(point["seeds"]) < n
    ]
    return f" Told by the trainings that came to an end: {joined(told)}." if told else ""


def _left_out(evidence: Evidence, compared: Sequence[str]) -> str:
    """Return a sentence on networks that are held against no other."""
    out = {name: with_all(one) for name, one in evidence["networks"].items() if name not in compared}
    groups = [
        (
            "Not compared, as too few of its trainings came to an end",
            [name for name in out if out[name] is None],
        ),
        ("Not compared, as it was tested on other rows", [name for name in out if out[name] is not None]),
    ]
    return f" {grouped(groups)}" if out else ""


def _worse(one: Evidence) -> str:
    return str(one["b"] if one["value"] > 0 else one["a"])


def _turned(one: Evidence) -> tuple[str, str, str]:
    """Return of a pair the better, where it stands to the other, and by how much."""
    better, other = (one["a"], one["b"]) if one["value"] > 0 else (one["b"], one["a"])
    return better, f"above {other}", by(one)


def _by_other(pairs: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return one part for each network that is beaten: "conv is above dense by 0.1 (...), lstm by 0.2 (...)"."""
    parts = []
    for place in dict.fromkeys(place for _, place, _ in pairs):
        (first, by), *more = [(top, by) for top, its_place, by in pairs if its_place == place]
        parts.append(joined([f"{first} is {place} {by}", *(f"{top} {by}" for top, by in more)]))
    return parts
