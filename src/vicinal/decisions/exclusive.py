"""Alarms where classes exclude each other: which of them alarm, and what a row is decided to be.

Some classes have a threshold and alarm; the others are what rows are without an alarm. Knows arrays and aims; must
not know tables, roles or how a threshold is chosen.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int8

from vicinal.decisions.aim import Aim, parse_some_aims
from vicinal.errors import ExperimentError, InfeasibleError

__all__ = ["alarm_aims", "decide_exclusive", "spell_alarm_aims"]


def alarm_aims(
    text: str, *, classes: tuple[str, ...], truth: Float64[np.ndarray, "n k"]
) -> tuple[Aim | None, ...]:
    """Return the aim of each class that alarms, and None for each that does not.

    Args:    text: `alarms <= 2 per day`, for each class but the one that most rows have, or the classes that alarm,
             each with its limit: `S: alarms <= 5 per day; V: alarms <= 2 per day`.
             truth: of the rows that thresholds are fitted on, 1, 0 or NaN where not known.
    Raises:  ExperimentError: when words are not such aims, or every class would alarm.
             InfeasibleError: when no truth says which class is the usual one.
    """
    if ":" in text:
        aims = parse_some_aims(text, classes)
        if any(one is not None and one.kind == "argmax" for one in aims):
            raise ExperimentError(f"aim {text!r}: argmax is about all classes at once. Let it stand alone.")
    else:
        (one,) = parse_some_aims(f"{classes[0]}: {text}", classes[:1])
        if np.isnan(truth).all():
            raise InfeasibleError(
                f"{one} alarms for every class but the usual one, and no row says which that is. Name the classes "
                f"that alarm: {classes[-1]}: {one}."
            )
        usual = int(np.nansum(truth, axis=0).argmax())
        aims = tuple(None if k == usual else one for k in range(len(classes)))
    if None not in aims:
        raise ExperimentError(
            f"aim {text!r}: every class alarms, so nothing is left for a row to be without an alarm. Leave out the "
            "usual class."
        )
    return aims


def spell_alarm_aims(aims: Sequence[Aim | None], classes: tuple[str, ...]) -> str:
    """Return the words that name each class that alarms; `alarm_aims` reads them back."""
    return "; ".join(f"{name}: {aim}" for name, aim in zip(classes, aims, strict=True) if aim is not None)


def decide_exclusive(
    probabilities: Float64[np.ndarray, "n k"], thresholds: Sequence[float | None]
) -> Int8[np.ndarray, "n k"]:
    """Return 1 for the class that each row is decided to be, and 0 for the others.

    Of the classes at or above their threshold the most probable one; where there is none, the most probable of the
    classes without a threshold. The first of equals.

    Args:    thresholds: K, some None.
    """
    cuts = np.array([np.inf if cut is None else cut for cut in thresholds])
    alarmed = np.where(probabilities >= cuts, probabilities, -np.inf)
    quiet = np.where(np.isinf(cuts), probabilities, -np.inf)
    chosen = np.where((probabilities >= cuts).any(axis=1), alarmed.argmax(axis=1), quiet.argmax(axis=1))
    decisions = np.zeros(probabilities.shape, np.int8)
    decisions[np.arange(len(decisions)), chosen] = 1
    return decisions
