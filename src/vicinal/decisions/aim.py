"""An aim in words, parsed into plain data: what a threshold is to achieve.

Knows the words; must not know rows, probabilities or thresholds.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vicinal.errors import ExperimentError, did_you_mean

__all__ = [
    "EXAMPLES",
    "Aim",
    "AimKind",
    "aim_kinds",
    "parse_aim",
    "parse_aims",
    "parse_some_aims",
    "spell_aims",
]

AimKind = Literal["sensitivity", "specificity", "ppv", "npv", "cost", "alarms", "daily", "f1", "argmax"]

EXAMPLES: dict[AimKind, str] = {
    "sensitivity": "sensitivity >= 0.95",
    "specificity": "specificity >= 0.9",
    "ppv": "ppv >= 0.5",
    "npv": "npv >= 0.99",
    "cost": "cost miss=50 alarm=1",
    "alarms": "alarms <= 30 per 1000",
    "daily": "alarms <= 2 per day",
    "f1": "f1",
    "argmax": "argmax",
}
"""Every kind of aim, with an example of its text."""

_NAMES = tuple(dict.fromkeys(example.split()[0] for example in EXAMPLES.values()))
_OTHER_NAMES = {"recall": "sensitivity", "tpr": "sensitivity", "tnr": "specificity", "precision": "ppv"}
_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)"


@dataclass(frozen=True)
class Aim:
    """What a threshold is to achieve; `str(aim)` is the text that parses back to it.

    Args:    kind: which aim.
             target: a share between 0 and 1: the least sensitivity, specificity, PPV or NPV, or the largest
             share of people with an alarm (30 per 1000 is 0.03); for `daily` the most alarms a day; 0 for the
             other kinds.
             miss, alarm: what one missed case and one false alarm cost, in one unit; 0 for the other kinds.
    """

    kind: AimKind
    target: float = 0.0
    miss: float = 0.0
    alarm: float = 0.0

    def __str__(self) -> str:
        if self.kind == "cost":
            return f"cost miss={_short(self.miss)} alarm={_short(self.alarm)}"
        if self.kind == "alarms":
            return f"alarms <= {_short(round(self.target * 1000, 9))} per 1000"
        if self.kind == "daily":
            return f"alarms <= {_short(self.target)} per day"
        if self.kind in ("f1", "argmax"):
            return self.kind
        return f"{self.kind} >= {self.target!r}"


def parse_aim(text: str) -> Aim:
    """Parse an aim: `sensitivity >= 0.95` (or specificity, ppv, npv), `cost miss=50 alarm=1`,
    `alarms <= 30 per 1000` (people), `alarms <= 2 per day` (events along recordings), `f1`, or
    `argmax` (tasks with exclusive classes).

    Args:    text: the words; a share may be written 0.95 or 95 %.
    Raises:  ExperimentError: when the words are not an aim; the message says what was probably meant.
    """
    words = " ".join(text.lower().split())
    name = (re.match(r"[a-z0-9_]*", words) or [""])[0]
    if name not in EXAMPLES or name not in _NAMES:
        raise ExperimentError(f"aim {text!r}: {_suggestion(name)}")
    rest = words[len(name) :].strip()
    if name in ("f1", "argmax"):
        if rest:
            raise ExperimentError(f"aim {text!r}: {name} stands alone, got {rest!r} after it.")
        return Aim(kind=name)
    if name == "cost":
        return _cost(text, rest)
    if name == "alarms":
        return _alarms(text, rest)
    found = re.fullmatch(rf">= ?{_NUMBER}( ?%)?", rest)
    if not found:
        raise ExperimentError(f"aim {text!r}: expected a least {name}, such as {EXAMPLES[name]!r}.")
    target = float(found[1]) / (100 if found[2] else 1)
    if not 0 < target < 1:
        raise ExperimentError(
            f"aim {text!r}: {name} must lie between 0 and 1, both excluded, got {target}. "
            "No finite number of rows can show a share of exactly 1; ask for 0.99 or 0.999."
        )
    return Aim(kind=name, target=target)


def parse_aims(text: str, classes: tuple[str, ...]) -> tuple[Aim, ...]:
    """Parse one aim for every class, or one for each: `AF: sensitivity >= 0.95; LBBB: f1`.

    Args:    classes: K names, all of which must have an aim.
    Returns: K aims, in the order of `classes`.
    Raises:  ExperimentError: when words are not an aim, or classes are unknown, repeated or left out.
    """
    pairs = _pairs(text)
    if pairs[0][0] is None:
        return (pairs[0][1],) * len(classes)
    aims = dict(pairs)
    _refuse(
        text,
        [*_unknown(aims, classes), *(f"class {name!r} has no aim" for name in classes if name not in aims)],
    )
    return tuple(aims[name] for name in classes)


def parse_some_aims(text: str, classes: tuple[str, ...]) -> tuple[Aim | None, ...]:
    """Parse an aim for some of the classes: `S: alarms <= 5 per day; V: alarms <= 2 per day`.

    Returns: K aims, in the order of `classes`, None for those that are not named.
    Raises:  ExperimentError: when words are not an aim, or classes are unknown or repeated.
    """
    aims = dict(_pairs(text))
    _refuse(text, _unknown(aims, classes))
    return tuple(aims.get(name) for name in classes)


def aim_kinds(text: str) -> set[AimKind]:
    """Return the kinds of one aim, or of one for each class.

    Raises:  ExperimentError: when words are not an aim, or a class has two.
    """
    return {aim.kind for _, aim in _pairs(text)}


def spell_aims(text: str) -> str:
    """Return the words of one aim, or of one for each class, as they are written down.

    Raises:  ExperimentError: when words are not an aim, or a class has two.
    """
    return "; ".join(str(aim) if name is None else f"{name}: {aim}" for name, aim in _pairs(text))


def _pairs(text: str) -> list[tuple[str | None, Aim]]:
    if ":" not in text:
        return [(None, parse_aim(text))]
    pairs: list[tuple[str | None, Aim]] = []
    for part in filter(str.strip, text.split(";")):
        # The last colon ends the name: an aim has none, and a class may.
        name, _, words = part.rpartition(":")
        if not name.strip():
            raise ExperimentError(
                f"aim {text!r}: {part.strip()!r} names no class. Write CLASS: AIM; CLASS: AIM."
            )
        pairs.append((name.strip(), parse_aim(words)))
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ExperimentError(f"aim {text!r}: a class has two aims. Give one for each.")
    return pairs


def _unknown(aims: Mapping[str | None, Aim], classes: tuple[str, ...]) -> list[str]:
    return [
        f"{name!r} is no class{did_you_mean(str(name), classes)[:-1]}" for name in aims if name not in classes
    ]


def _refuse(text: str, problems: Sequence[str]) -> None:
    if problems:
        raise ExperimentError(f"aim {text!r}: {'; '.join(problems)}. Write CLASS: AIM; CLASS: AIM.")


def _short(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def _suggestion(name: str) -> str:
    known = ", ".join(repr(example) for example in EXAMPLES.values())
    near = difflib.get_close_matches(name, _NAMES, n=1) or [_OTHER_NAMES.get(name, "")]
    meant = f"did you mean {near[0]!r}? " if near[0] else ""
    return f"{name!r} is not an aim; {meant}Aims are {known}."


def _cost(text: str, rest: str) -> Aim:
    pairs = re.findall(rf"([a-z]+) ?= ?{_NUMBER}", rest)
    left_over = re.sub(rf"([a-z]+) ?= ?{_NUMBER}", "", rest).strip(" ,")
    costs = {key: float(value) for key, value in pairs}
    problems = [f"{left_over!r} is not understood"] if left_over else []
    for key in costs:
        if key not in ("miss", "alarm"):
            near = difflib.get_close_matches(key, ("miss", "alarm"), n=1)
            problems.append(f"{key!r} is not a cost" + (f"; did you mean {near[0]!r}?" if near else ""))
    for key in ("miss", "alarm"):
        if key not in costs:
            problems.append(f"{key}= is missing")
        elif not (math.isfinite(costs[key]) and costs[key] > 0):
            problems.append(f"{key} must be a finite cost above 0, got {costs[key]}")
    if len(pairs) != len(costs):
        problems.append("a cost is given twice")
    if problems:
        example = EXAMPLES["cost"]
        raise ExperimentError(f"aim {text!r}: {'; '.join(problems)}. Write it as {example!r}.")
    return Aim(kind="cost", miss=costs["miss"], alarm=costs["alarm"])


def _alarms(text: str, rest: str) -> Aim:
    found = re.fullmatch(rf"<= ?{_NUMBER} per (\d+|[a-z]+)", rest)
    if found and found[2] == "day":
        limit = float(found[1])
        if not (math.isfinite(limit) and limit > 0):
            raise ExperimentError(f"aim {text!r}: the limit must be a number above 0, got {found[1]}.")
        return Aim(kind="daily", target=limit)
    if found and not found[2].isdigit():
        raise ExperimentError(
            f"aim {text!r}: alarms are counted per number of people or per day, not per {found[2]}; "
            f"write it as {EXAMPLES['alarms']!r} or {EXAMPLES['daily']!r}."
        )
    if not found:
        raise ExperimentError(f"aim {text!r}: expected a limit, such as {EXAMPLES['alarms']!r}.")
    if int(found[2]) < 1 or not 0 < float(found[1]) < int(found[2]):
        raise ExperimentError(
            f"aim {text!r}: the limit must lie between 0 and {found[2]}, both excluded, got {found[1]}."
        )
    return Aim(kind="alarms", target=float(found[1]) / int(found[2]))
