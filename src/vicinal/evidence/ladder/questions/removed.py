"""Whether each step of preparation and augmentation is worth keeping, and which is named for deletion."""

from collections.abc import Sequence

from vicinal.evidence.ladder.answer import Answer, Evidence, Kind
from vicinal.evidence.ladder.wording import grouped, signed

__all__ = ["removed", "removed_rows"]

_MARGIN = 0.02
"""Of the metric: a step that is shown to give less is named for deletion."""

_WORDS = {
    "keep": "keep",
    "harms": "delete: worse with it",
    "delete": f"delete: less than {_MARGIN:g}",
    "nothing": "delete, unless more show a gain",
    "open": "undecided",
}


def removed(evidence: Evidence) -> Answer | None:
    """Judge each step by its gain, the whole less the network without it; None where none was taken out."""
    steps = [one for one in evidence["removed"] if one["gain"] is not None]
    if not steps:
        return None
    fates = [_fate(one["gain"]) for one in steps]
    n = len(steps)
    needed = [one["name"].rpartition("without ")[2] for one in evidence["removed"] if one["needed"]]
    told = grouped([*_groups(steps, fates), ("Cannot be left out", needed)])
    rule = f" Gains after Holm's correction over {n} steps; intervals of 95 % each." if n > 1 else ""
    return Answer("Is every step worth keeping?", _kind(fates), f"{told}{rule}")


def removed_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table of steps: what each gives, what it costs to keep, and what to do with it."""
    columns = [
        "step",
        "kind",
        "gain (95 %)",
        "ms a recording",
        "packages",
        "fields of the contract",
        "verdict",
    ]
    return columns, [_line(one) for one in evidence["removed"]]


def _line(one: Evidence) -> list[str]:
    ms, gain = one["ms_per_recording"], one["gain"]
    return [
        one["name"].rpartition("without ")[2],
        one["kind"],
        "" if gain is None else signed(gain),
        "" if ms is None else f"{ms:.3f}",
        ", ".join(one["packages"]),
        str(one["contract_fields"]),
        "cannot be left out" if one["needed"] else "not measured" if gain is None else _WORDS[_fate(gain)],
    ]


def _fate(gain: Evidence) -> str:
    """Return what to do with a step: keep it, delete it or leave it open; what gives nothing has no case."""
    if gain["clear"]:
        return "keep" if gain["value"] > 0 else "harms"
    if gain["high"] is not None and gain["high"] < _MARGIN:
        return "delete"
    return "nothing" if gain["value"] is not None and gain["value"] <= 0 else "open"


def _groups(steps: Sequence[Evidence], fates: Sequence[str]) -> list[tuple[str, list[str]]]:
    titles = {
        "keep": "Worth keeping, as better with it",
        "harms": "To be deleted, as worse with it",
        "delete": f"To be deleted, as shown to give less than {_MARGIN:g}",
        "nothing": "To be deleted unless more recordings or seeds show a gain, as none was seen",
        "open": f"Undecided, as neither a gain nor one below {_MARGIN:g} is shown",
    }
    return [
        (title, [_told(one) for one, its in zip(steps, fates, strict=True) if its == fate])
        for fate, title in titles.items()
    ]


def _told(one: Evidence) -> str:
    return f"{one['name'].rpartition('without ')[2]} {signed(one['gain'])}"


def _kind(fates: Sequence[str]) -> Kind:
    if set(fates) == {"keep"}:
        return "true"
    if "keep" in fates:
        return "partly"
    return "false" if {"harms", "delete"} & set(fates) else "not shown"
