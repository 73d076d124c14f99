"""Verdict: what a comparison shows, in sentences that claim no more than its intervals allow.

A difference counts where Holm's corrected p over all of its kind is below 0.05; a ratio of subjects where its interval,
of a level corrected after Bonferroni, lies on one side of 1; what a shift does by its own interval of 95 %, and what is
timed by whether trials overlap. Reads plain data, `compare.json`; must not know networks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from vicinal.evidence.ladder.contrasts import holm
from vicinal.evidence.ladder.wording import broke_off, factor, grouped, listed, of_number, signed
from vicinal.evidence.metric import in_words

__all__ = ["Answer", "base_of", "verdict"]

Answer = Literal["true", "partly", "false", "not shown"]

_SHIFT = 0.1
"""Share of a signal's length at which the claim about shifts is judged."""
_MARGIN = 0.02
"""Of the metric: who is shown to lose less by a shift counts as indifferent to it."""

Evidence = Mapping[str, Any]


def verdict(evidence: Evidence) -> list[dict[str, str]]:
    """Return the questions that a comparison can answer.

    Args:    evidence: as in `compare.json`, without its verdict.
    Returns: [{"question", "answer": "true" | "partly" | "false" | "not shown", "sentence"}].
    """
    found = [
        _better(evidence),
        _less_data(evidence),
        _less_overfitting(evidence),
        _faster(evidence),
        _soon(evidence),
        _fewer_parameters(evidence),
        _translation(evidence),
        _hierarchy(evidence),
        _concentration(evidence),
        _removed(evidence),
    ]
    return [one for one in found if one is not None]


def _answer(question: str, answer: Answer, sentence: str) -> dict[str, str]:
    return {"question": question, "answer": answer, "sentence": sentence}


def base_of(names: Sequence[str]) -> str:
    """Return what the others are measured against: `dense` where there is one, else the first."""
    return "dense" if "dense" in names else names[0] if names else ""


def _base(evidence: Evidence) -> tuple[str, list[str]]:
    """Return what the others are measured against, and the others."""
    names = [name for name, one in evidence["networks"].items() if one["curve"]]
    base = base_of(names)
    return base, [name for name in names if name != base]


def _metric(evidence: Evidence) -> str:
    return in_words(evidence["metric"])


def _better(evidence: Evidence) -> dict[str, str] | None:
    contrasts = evidence["contrasts"]
    if not contrasts:
        return None
    clear = [one for one in contrasts if one["clear"]]
    n = len(contrasts)
    rule = f"Holm's correction over {n} pairs" if n > 1 else "one pair"
    rule += ", one seed each: of these trainings, not yet of the networks" if evidence["n_seeds"] == 1 else ""
    if not clear:
        names = listed(sorted({one[side] for one in contrasts for side in ("a", "b")}))
        sentence = f"No two of {names} are shown to differ in {_metric(evidence)} ({rule})."
        return _answer("Which is best?", "not shown", sentence)
    tops = _unbeaten(evidence, contrasts)
    others = [one for one in clear if one["a"] in tops or one["b"] in tops]
    parts = _by_other([_turned(one, tops) for one in others])
    same = (
        f"{tops[0]} is beaten by none"
        if len(tops) == 1
        else f"none of {listed(tops)} is shown to be below the best"
    )
    sentence = f"In {_metric(evidence)}, {same}; {'; '.join(parts) or 'nothing else is clear'} ({rule})."
    return _answer("Which is best?", "true" if len(tops) == 1 else "partly", sentence)


def _unbeaten(evidence: Evidence, contrasts: Sequence[Evidence]) -> list[str]:
    """Return the network of the best value and all that do not clearly differ from it."""
    values = {name: one["curve"][-1]["value"] for name, one in evidence["networks"].items() if one["curve"]}
    compared = {one[side] for one in contrasts for side in ("a", "b")}
    best = max(compared, key=lambda name: values[name])
    beaten = {
        one["b"] if one["a"] == best else one["a"]
        for one in contrasts
        if one["clear"] and best in (one["a"], one["b"])
    }
    return [name for name in values if name in compared and name not in beaten]


def _turned(one: Evidence, tops: Sequence[str]) -> tuple[str, str, str]:
    """Return of a pair who of the best it names, where it stands to the other, and by how much."""
    sign, top, other = (1, one["a"], one["b"]) if one["a"] in tops else (-1, one["b"], one["a"])
    value, low, high = (
        sign * one[key] for key in (("value", "low", "high") if sign > 0 else ("value", "high", "low"))
    )
    place = f"{'above' if value > 0 else 'below'} {other}"
    return top, place, f"by {abs(value):.3f} ({_range(low, high, value)})"


def _by_other(pairs: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return one part for each place to stand: "conv is above dense by 0.1 (...), lstm by 0.2 (...)"."""
    parts = []
    for place in dict.fromkeys(place for _, place, _ in pairs):
        (first, by), *more = [(top, by) for top, its_place, by in pairs if its_place == place]
        parts.append(", ".join([f"{first} is {place} {by}", *(f"{top} {by}" for top, by in more)]))
    return parts


def _range(low: float, high: float, value: float) -> str:
    low, high = (low, high) if value > 0 else (-high, -low)
    return f"{low:.3f} to {high:.3f}"


def _less_data(evidence: Evidence) -> dict[str, str] | None:
    base, others = _base(evidence)
    if not others or all(len(one["curve"]) < 2 for one in evidence["networks"].values()):
        return None
    unit, target = evidence["unit"], f"{_metric(evidence)} {evidence['target']:g}"
    made = {one["a"]: one for one in evidence["needed_ratios"]}
    found = [made[name] for name in others if name in made]
    absent = [name for name in others if name not in made]
    signs = [0 if not one["clear"] else 1 if _is_below(one) else -1 for one in found] + [0] * len(absent)
    groups = [
        ("Times as many, shown", [f"{one['a']} {_times(one)}" for one in found if one["clear"]]),
        ("Times as many, not shown", [f"{one['a']} {_times(one)}" for one in found if not one["clear"]]),
        ("Not there either", absent),
    ]
    level = f" Level {1 - 0.05 / len(others):.3g} each." if len(found) > 1 else ""
    start = f"For {target}, {base} needs {_needed(evidence['networks'][base]['needed'], unit)}."
    return _answer(f"Less data than {base}?", _of_signs(signs), f"{start} {grouped(groups)}{level}")


def _is_below(one: Evidence) -> bool:
    return one["high"] is not None and one["high"] < 1


def _times(one: Evidence) -> str:
    high = "any number" if one["high"] is None else factor(one["high"])
    bound = f"{one['bound']} " if one["bound"] else ""
    return f"{bound}{factor(one['value'])} ({factor(one['low'])} to {high})"


def _needed(one: Evidence | None, unit: str) -> str:
    if one is None:
        return "an unknown number"
    if one["value"] is None:
        return f"more than the {one['most_tried']:,} {unit} there are"
    low = f"{one['low']:,.0f}" if one["low"] is not None else "?"
    high = f"{one['high']:,.0f}" if one["high"] is not None else f"over {one['most_tried']:,}"
    return f"{'at most ' if one['at_most'] else ''}{one['value']:,.0f} {unit} ({low} to {high})"


def _less_overfitting(evidence: Evidence) -> dict[str, str] | None:
    found = evidence["gap_contrasts"]
    if not found:
        return None
    base, sentences = found[0]["b"], []
    for n in dict.fromkeys(one["n_train_subjects"] for one in found):
        made = [one for one in found if one["n_train_subjects"] == n]
        groups = [
            (words, [f"{one['a']} {_gap_of(evidence, one['a'], n)}" for one in made if _wider(one) == words])
            for words in ("Smaller", "Larger", "Not shown to differ")
        ]
        rule = f" Holm over {len(made)}." if len(made) > 1 else ""
        sentences.append(
            f"With {n:,} training {of_number(n, evidence['unit'])}, training minus test {_metric(evidence)} of {base} "
            f"is {_gap_of(evidence, base, n)}. {grouped(groups)}{rule}"
        )
    signs = [0 if not one["clear"] else 1 if one["value"] < 0 else -1 for one in found]
    return _answer(f"Less overfitting than {base}?", _of_signs(signs), " ".join(sentences))


def _gap_of(evidence: Evidence, name: str, n_subjects: int) -> str:
    curve = evidence["networks"][name]["curve"]
    return signed(next(point["gap"] for point in curve if point["n_train_subjects"] == n_subjects))


def _wider(one: Evidence) -> str:
    return "Not shown to differ" if not one["clear"] else "Larger" if one["value"] > 0 else "Smaller"


def _faster(evidence: Evidence) -> dict[str, str] | None:
    base, others = _base(evidence)
    networks = evidence["networks"]
    reference = networks[base]["step_ms"] if base else None
    timed = [name for name in others if networks[name]["step_ms"] and networks[name]["infer_per_second"]]
    if reference is None or not timed or not networks[base]["infer_per_second"]:
        return None
    steps = [networks[name]["step_ms"] for name in timed]
    signs = [
        1 if step["most"] < reference["least"] else -1 if step["least"] > reference["most"] else 0
        for step in steps
    ]
    groups = [
        (f"Seconds of a step, times those of {base}", _times_of(networks, timed, base, "step_ms")),
        ("Recordings scored a second, times as many", _times_of(networks, timed, base, "infer_per_second")),
    ]
    sentence = f"{grouped(groups)} Apart only where no trial of one is within the other's."
    return _answer(f"Faster than {base}?", _of_signs(signs), sentence)


def _times_of(networks: Evidence, names: Sequence[str], base: str, key: str) -> list[str]:
    reference = networks[base][key]["median"]
    return [f"{name} {factor(networks[name][key]['median'] / reference)}" for name in names]


def _soon(evidence: Evidence) -> dict[str, str] | None:
    """Return how soon each got to the target while it was trained, beside what the monitor found."""
    timed = {name: one["seconds_to_target"] for name, one in evidence["networks"].items()}
    known = {name: one for name, one in timed.items() if one and one["n_seeds"]}
    if len(known) < 2:
        return None
    parts, calm = [], []
    for name, one in known.items():
        found = evidence["networks"][name]["findings"]
        n_failed = len(evidence["networks"][name]["failed"])
        problems = [f"{kind} {n} of {one['n_seeds']}" for kind, n in found.items() if kind != "stopped early"]
        problems += [broke_off(n_failed)] if n_failed else []
        reached = f"in {one['n_reached']} of {one['n_seeds']}"
        when = f"after {one['median']:.1f} s ({reached})" if one["n_reached"] else f"not ({reached})"
        parts.append(f"{name} {when}{', ' + ' and '.join(problems) if problems else ''}")
        if one["n_reached"] == one["n_seeds"] and not problems:
            calm.append((one["median"], name))
    end = (
        f" Soonest without anything to find: {min(calm)[1]}."
        if calm
        else " None always arrives without a finding."
    )
    sentence = f"Validation {_metric(evidence)} {evidence['target']:g} is reached by {'; '.join(parts)}.{end}"
    return _answer("How soon, and how steadily?", "not shown", sentence)


def _fewer_parameters(evidence: Evidence) -> dict[str, str] | None:
    base, others = _base(evidence)
    if not others:
        return None
    networks = evidence["networks"]
    count = networks[base]["parameters"]
    parts = [
        f"{name} {factor(networks[name]['parameters'] / count)} times{_as_dense(networks[name])}"
        for name in others
    ]
    fixed = [name for name in (base, *others) if networks[name]["match_ratio"] is None]
    were_matched = any(networks[name]["match_ratio"] is not None for name in (base, *others))
    if were_matched and evidence["match"] == "parameters":
        but = f" but for those of {listed(fixed)}" if fixed else ""
        start = f"Parameters were matched{but}, {base} has {count:,}: "
        return _answer(f"Fewer parameters than {base}?", "not shown", f"{start}{', '.join(parts)}.")
    signs = [int(np.sign(count - networks[name]["parameters"])) for name in others]
    start = f"{'At matched multiply-adds' if were_matched else 'Nothing was matched,'} {base} has {count:,}: "
    return _answer(f"Fewer parameters than {base}?", _of_signs(signs), f"{start}{', '.join(parts)}.")


def _as_dense(network: Evidence) -> str:
    """Return how many parameters dense layers between the same values would have; fixed windows have no such layers."""
    times = network["dense_equivalent_parameters"] / network["parameters"]
    return f" (as dense layers {times:,.0f} times its own)" if times >= 1.5 else ""


def _translation(evidence: Evidence) -> dict[str, str] | None:
    titles = {-1: "Falls", 1: f"Loses less than {_MARGIN:g}", 0: "Not shown to be either"}
    groups: dict[str, list[str]] = {title: [] for title in titles.values()}
    signs = []
    for name, one in evidence["networks"].items():
        point = next((p for p in one["translation"] if p["change"] and abs(p["shift"] - _SHIFT) < 1e-9), None)
        if point is None or point["change"]["low"] is None:
            continue
        change = point["change"]
        signs.append(1 if change["low"] > -_MARGIN else -1 if change["high"] < 0 else 0)
        decided = point["decisions_changed"]
        share = "" if decided is None or np.isnan(decided) else f" and {100 * decided:.0f} % of decisions"
        groups[titles[signs[-1]]].append(f"{name} {signed(change)}{share}")
    if not signs:
        return None
    answer: Answer = "not shown" if min(signs) < max(signs) == 0 else _of_signs(signs)
    start = (
        f"What a shift by {100 * _SHIFT:.0f} % of its length changes in {_metric(evidence)} and in decisions."
    )
    sentence = f"{start} {grouped(list(groups.items()))}"
    return _answer("Indifferent to shifts?", answer, sentence)


def _hierarchy(evidence: Evidence) -> dict[str, str] | None:
    cuts = [
        (name, stage)
        for name, one in evidence["networks"].items()
        for stage in one["stages"][:1]
        if stage.get("whole_minus_cut") and len(one["stages"]) > 1
    ]
    if not cuts:
        return None
    corrected = holm(np.array([stage["whole_minus_cut"]["p"] for _, stage in cuts], dtype=np.float64))
    signs, parts = [], []
    for (name, stage), p in zip(cuts, corrected, strict=True):
        lost = stage["whole_minus_cut"]
        signs.append(0 if not p < 0.05 else 1 if lost["value"] > 0 else -1)
        seen = (
            ""
            if stage["receptive_field_ms"] is None
            else f", which sees {stage['receptive_field_ms']:,.0f} ms"
        )
        words = "" if p < 0.05 else ", not shown"
        parts.append(
            f"{name}'s {len(evidence['networks'][name]['stages'])} stages give {signed(lost)} over its first alone"
            f"{seen}{words}"
        )
    return _answer("Does hierarchy help?", _of_signs(signs), f"{'; '.join(parts)} (Holm over {len(cuts)}).")


def _concentration(evidence: Evidence) -> dict[str, str] | None:
    parts = [
        f"{name} {100 * one['concentration']['value']:.0f} % ({100 * one['concentration']['low']:.0f} to "
        f"{100 * one['concentration']['high']:.0f})"
        for name, one in evidence["networks"].items()
        if one["concentration"]
    ]
    if len(parts) < 2:
        return None
    sentence = (
        f"The strongest tenth of the positions holds, of all that hiding changes: {', '.join(parts)}; evenly spread it "
        "would be 10 %. That a map is concentrated does not make it right."
    )
    return _answer("Where do scores rest?", "not shown", sentence)


def _removed(evidence: Evidence) -> dict[str, str] | None:
    removed = [one for one in evidence["removed"] if one["gain"] is not None]
    if not removed:
        return None
    kept = [one for one in removed if one["gain"]["clear"] and one["gain"]["value"] > 0]
    open_ones = [one for one in removed if not one["gain"]["clear"] and one["gain"]["value"] > 0]
    useless = [one for one in removed if one not in kept and one not in open_ones]
    parts = [
        f"{_step(one)} gives {signed(one['gain'])}" + ("" if one["gain"]["clear"] else ", not shown")
        for one in removed
    ]
    ends = []
    if useless:
        most = max(one["gain"]["high"] for one in useless)
        ends.append(
            f"To be deleted, as nothing was gained by them, and at most {max(most, 0):.3f} is within their intervals: "
            f"{listed([_step(one) for one in useless])}."
        )
    if open_ones:
        names = listed([_step(one) for one in open_ones])
        ends.append(f"Undecided, better with them by less than chance could make: {names}.")
    end = " ".join(ends) or "All are worth keeping."
    are_harmful = any(one["gain"]["clear"] for one in useless)
    answer: Answer = (
        "true" if len(kept) == len(removed) else "partly" if kept else "false" if are_harmful else "not shown"
    )
    rule = f"Holm over {len(removed)}" if len(removed) > 1 else "one step"
    return _answer("Is every step worth keeping?", answer, f"{'; '.join(parts)} ({rule}). {end}")


def _step(one: Evidence) -> str:
    return str(one["name"].rpartition("without ")[2])


def _of_signs(signs: Sequence[int]) -> Answer:
    if signs and all(sign > 0 for sign in signs):
        return "true"
    if any(sign > 0 for sign in signs):
        return "partly"
    return "false" if any(sign < 0 for sign in signs) else "not shown"
