"""Meaning: what the errors of a policy come to, in people out of 1,000 at a stated prevalence.

Where a row is no person, in what a row is: recordings, of subjects with several; beats; images. Knows score tables
and policies; must not know networks or reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int8

from vicinal.decisions.events import Alarms, observed_days
from vicinal.decisions.policy import Policy, along
from vicinal.decisions.proportions import Proportion, wilson
from vicinal.errors import ExperimentError, FormatError, InfeasibleError
from vicinal.scoretable import ScoreTable

__all__ = ["RELIABLE_SUBJECTS", "ClassMeaning", "Count", "Meaning", "alarm_rates", "meaning"]

RELIABLE_SUBJECTS = 10
"""With fewer positive (or negative) subjects than this, an interval is not to be relied on."""


@dataclass(frozen=True)
class Count:
    """A number, of people or a share, with its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return the count as JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class ClassMeaning:
    """What the decisions about one class come to among 1,000 people, or beats, or whatever a row is.

    Args:    name: the class.  prevalence: 0 to 1.  stated: whether it was given, or is that of the rows.
             found, missed, false_alarms, referred: of 1,000; found + missed + referred with the class
             make 1000 * prevalence.
             sensitivity: share of positives decided positive; specificity: of negatives decided negative; a
             referred row is neither.
             ppv, npv: at that prevalence; None when nobody is decided positive, or negative.
             n_positive, n_negative: rows.  n_positive_subjects, n_negative_subjects: None without subjects.
             unreliable: fewer than 10 positive or negative subjects (rows, without subjects).
             of: what there are 1,000 of, in the plural: "people" where each row is of another one.
    """

    name: str
    prevalence: float
    stated: bool
    found: Count
    missed: Count
    false_alarms: Count
    referred: Count
    sensitivity: Proportion
    specificity: Proportion
    ppv: Count | None
    npv: Count | None
    n_positive: int
    n_negative: int
    n_positive_subjects: int | None
    n_negative_subjects: int | None
    unreliable: bool
    of: str = "people"

    @property
    def may_be_chance(self) -> bool:
        """Whether the intervals allow that alarms by lot do as well; False where some are referred.

        An alarm by lot has a sensitivity and a specificity that make 1 together.
        """
        return not self.referred.value and self.sensitivity.low + self.specificity.low <= 1

    @property
    def sentence(self) -> str:
        """One English paragraph."""
        q, words = 1000 * self.prevalence, _words(self.of, self.name)
        which = "stated" if self.stated else "that of the rows"
        parts = [
            f"Of 1,000 {self.of}, {_number(q)} {words.have} {self.name} (prevalence {self.prevalence:.3g}, {which}): "
            f"{_spoken(self.found)} {_are(self.found)} found and {_spoken(self.missed)} {_are(self.missed)} "
            f"missed; of the {_number(1000 - q)} {words.others}, {_spoken(self.false_alarms)} {words.get} a false "
            "alarm."
        ]
        if self.referred.value > 0:
            parts.append(f"{_spoken(self.referred)} {_are(self.referred)} referred to a person.")
        if self.ppv is not None:
            parts.append(
                f"Of 100 alarms, {_spoken(_times(self.ppv, 100))} {_are(_times(self.ppv, 100))} right."
            )
        if self.npv is not None:
            wrong = Count(1 - self.npv.value, 1 - self.npv.high, 1 - self.npv.low)
            parts.append(
                f"Of 1,000 {words.cleared}, {_spoken(_times(wrong, 1000))} {words.after_all} after all."
            )
        rows = f"{self.n_positive:,} {words.rows} with {self.name} and {self.n_negative:,} without"
        if self.n_positive_subjects is None:
            whom = f"{rows} (assumes one {'recording per person' if words.people else 'of each subject'})"
        else:
            whom = (
                f"{rows}, of {self.n_positive_subjects:,} and {self.n_negative_subjects:,} {words.subjects}"
            )
        parts.append(f"In brackets, 95 % intervals, from {whom}.")
        if self.may_be_chance:
            parts.append(
                f"Sensitivity {self.sensitivity.value:.2f} and specificity {self.specificity.value:.2f} may, by their "
                "intervals, be no better than giving alarms by lot."
            )
        if self.unreliable:
            few = words.subjects if words.people or self.n_positive_subjects is not None else words.rows
            parts.append(f"These numbers are unreliable: fewer than {RELIABLE_SUBJECTS} {few} of one kind.")
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        counts = ("found", "missed", "false_alarms", "referred", "sensitivity", "specificity", "ppv", "npv")
        plain = (
            "prevalence",
            "stated",
            "n_positive",
            "n_negative",
            "n_positive_subjects",
            "n_negative_subjects",
            "unreliable",
            "sentence",
        )
        values: dict[str, Any] = {"class": self.name, "per": 1000, "of": self.of}
        values |= {name: getattr(self, name) for name in plain}
        for name in counts:
            count = getattr(self, name)
            values[name] = None if count is None else count.to_dict()
        return values


@dataclass(frozen=True)
class _Words:
    """How a paragraph speaks of people, of recordings, or of rows that are something rather than have it."""

    have: str
    others: str
    get: str
    cleared: str
    after_all: str
    rows: str
    subjects: str
    people: bool = False


def _words(of: str, name: str) -> _Words:
    if of == "people":
        return _Words(
            "have", "without it", "get", "people told they do not have it", "have it", "recordings", "people", True
        )  # fmt: skip
    if of == "recordings":
        return _Words(
            "have", "without it", "give", "recordings decided not to have it", "have it", of, "people"
        )
    return _Words("are", "others", "give", f"{of} decided not to be {name}", f"are {name}", of, "subjects")


@dataclass(frozen=True)
class Meaning:
    """What a policy's decisions come to, class by class.

    Args:    classes: one entry for each class that has both positive and negative rows.
             left_out: names of the classes that do not.  rows: what a row is, in the plural.
    """

    classes: tuple[ClassMeaning, ...]
    left_out: tuple[str, ...] = ()
    rows: str = "recordings"

    @property
    def sentence(self) -> str:
        """One English paragraph; one for each class where there are several."""
        paragraphs = [item.sentence for item in self.classes]
        if self.left_out:
            names = ", ".join(self.left_out)
            paragraphs.append(f"Nothing can be said about {names}: no positive or no negative {self.rows}.")
        return "\n\n".join(paragraphs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: those of the class itself for a binary task, else `classes` by name."""
        if len(self.classes) == 1 and not self.left_out:
            return self.classes[0].to_dict()
        return {
            "classes": {item.name: item.to_dict() for item in self.classes},
            "left_out": list(self.left_out),
            "rows": self.rows,
            "sentence": self.sentence,
        }


def meaning(
    table: ScoreTable,
    policy: Policy,
    *,
    prevalence: float | None = None,
    decisions: Int8[np.ndarray, "n k"] | None = None,
    rows: str = "recordings",
) -> Meaning:
    """Say what the policy's decisions on these rows come to among 1,000 people, or among 1,000 of what a row is.

    People are counted where rows are recordings and each is of another subject, known or assumed; everything else is
    counted as what it is, as 1,000 beats of ten people are not 1,000 people.

    The shares of positives found, missed and referred, and of negatives alarmed and referred, have
    cluster-adjusted Wilson intervals. What combines two of them (referred, PPV, NPV) takes the corners of
    both intervals, which is cautious.

    Args:    table: rows that fitted neither network nor policy (test).  policy: of the same classes.
             prevalence: that of the field; the policy's, or else the rows', when not given.
             decisions: those of several policies, one for each fold, pooled; the policy's when not given.
             rows: what a row is, in the plural: recordings, beats, events, images.
    Raises:  FormatError: when table and policy are of different classes.
             ExperimentError: for a prevalence outside 0 to 1, or one for several classes.
             InfeasibleError: when no class has rows of both kinds.
    """
    if table.classes != policy.classes or table.task != policy.task:
        raise FormatError(
            f"policy for {policy.task} {policy.classes} does not fit scores of {table.task} {table.classes}."
        )
    prevalence = policy.prevalence if prevalence is None else prevalence
    if prevalence is not None and (len(table.classes) > 1 or not 0 < prevalence < 1):
        raise ExperimentError(
            f"prevalence {prevalence}: expected a share between 0 and 1, both excluded, of the one class of "
            f"a binary task; the classes are {', '.join(table.classes)}."
        )
    decisions = policy.decide(table.probabilities) if decisions is None else decisions
    one_each = table.subjects is None or table.n_subjects == len(table)
    of = "people" if rows == "recordings" and one_each else rows
    found, left_out = [], []
    for k, name in enumerate(table.classes):
        truth = table.truth[:, k]
        if (truth == 1).any() and (truth == 0).any():
            found.append(_of_class(name, table, truth == 1, truth == 0, decisions[:, k], prevalence, of))
        else:
            left_out.append(name)
    if not found:
        raise InfeasibleError(
            f"what errors mean needs positive and negative rows of known truth; {', '.join(left_out)} "
            f"lacks one of them in these {len(table)} rows. Use rows that hold both."
        )
    return Meaning(tuple(found), tuple(left_out), rows)


def alarm_rates(
    table: ScoreTable, found: Mapping[str, Alarms], *, resamples: int, seed: int
) -> dict[str, dict[str, float | None]]:
    """Return how often a policy alarms along these recordings, by class.

    Args:    table: with columns `record` and `position_s`.  found: what `Policy.alarms` gave for its rows.
             resamples, seed: of the percentile bootstrap by subject (by record, where subjects are not known).
    Returns: for each class that alarms `n` alarms, `days` watched, `per_day`, its 95 % interval `low` and `high`,
             which are None with fewer than two subjects, and `n_subjects`, None where they are not known.
    Raises:  FormatError: when the table does not say where its rows lie.
             InfeasibleError: when the rows watch no time.
    """
    records, position_s = along(table)
    names, first = np.unique(records, return_index=True)
    owners = records[first] if table.subjects is None else table.subjects[first]
    subjects, owner = np.unique(owners, return_inverse=True)
    watched = [observed_days(records[records == name], position_s[records == name]) for name in names]
    days = np.bincount(owner, weights=watched, minlength=len(subjects))
    if not days.sum() > 0:
        raise InfeasibleError("alarms per day need records of at least two rows at different positions.")
    drawn = np.random.default_rng(seed).integers(0, len(subjects), (resamples, len(subjects)))
    rates = {}
    for name, alarms in found.items():
        at = owner[np.searchsorted(names, alarms.records)]
        counts = np.bincount(at, minlength=len(subjects)).astype(np.float64)
        with np.errstate(invalid="ignore"):
            spread = counts[drawn].sum(axis=1) / days[drawn].sum(axis=1)
        edges = np.nanquantile(spread, (0.025, 0.975)) if len(subjects) > 1 else None
        rates[name] = {
            "n": len(alarms),
            "days": float(days.sum()),
            "per_day": float(counts.sum() / days.sum()),
            "low": None if edges is None else float(edges[0]),
            "high": None if edges is None else float(edges[1]),
            "n_subjects": table.n_subjects,
        }
    return rates


def _of_class(
    name: str,
    table: ScoreTable,
    positive: Bool[np.ndarray, " n"],
    negative: Bool[np.ndarray, " n"],
    decisions: Int8[np.ndarray, " n"],
    prevalence: float | None,
    of: str,
) -> ClassMeaning:
    n_positive, n_negative = int(positive.sum()), int(negative.sum())
    q = n_positive / (n_positive + n_negative) if prevalence is None else prevalence

    def share(decision: int, rows: Bool[np.ndarray, " n"]) -> Proportion:
        return wilson(decisions[rows] == decision, table.clusters[rows])

    found, missed, kept = share(1, positive), share(0, positive), share(-1, positive)
    alarms, cleared, sent = share(1, negative), share(0, negative), share(-1, negative)
    referred = Count(
        *(
            1000 * (q * getattr(kept, edge) + (1 - q) * getattr(sent, edge))
            if (decisions == -1).any()
            else 0.0
            for edge in ("value", "low", "high")
        )
    )
    n_subjects = [len(np.unique(table.clusters[rows])) for rows in (positive, negative)]
    known = table.subjects is not None
    return ClassMeaning(
        name=name,
        prevalence=q,
        stated=prevalence is not None,
        found=_times(found, 1000 * q),
        missed=_times(missed, 1000 * q),
        false_alarms=_times(alarms, 1000 * (1 - q)),
        referred=referred,
        sensitivity=found,
        specificity=cleared,
        ppv=_predictive(found, alarms, q),
        npv=_predictive(cleared, missed, 1 - q),
        n_positive=n_positive,
        n_negative=n_negative,
        n_positive_subjects=n_subjects[0] if known else None,
        n_negative_subjects=n_subjects[1] if known else None,
        unreliable=min(n_subjects) < RELIABLE_SUBJECTS,
        of=of,
    )


def _predictive(right: Proportion, wrong: Proportion, q: float) -> Count | None:
    """Return right * q / (right * q + wrong * (1 - q)), with the corners of both intervals."""
    if right.value == 0 and wrong.value == 0:
        return None

    def share(r: float, w: float) -> float:
        return r * q / (r * q + w * (1 - q)) if r > 0 or w > 0 else 0.0

    return Count(share(right.value, wrong.value), share(right.low, wrong.high), share(right.high, wrong.low))


def _times(share: Proportion | Count, factor: float) -> Count:
    return Count(factor * share.value, factor * share.low, factor * share.high)


def _number(number: float) -> str:
    return f"{number:,.0f}" if number >= 9.95 or number == round(number) else f"{number:.1f}"


def _spoken(count: Count) -> str:
    return f"{_number(count.value)} ({_number(count.low)} to {_number(count.high)})"


def _are(count: Count) -> str:
    return "is" if _number(count.value) == "1" else "are"
