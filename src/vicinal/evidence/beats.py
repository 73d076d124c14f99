"""Beats the way ANSI/AAMI EC57 and the literature on MIT-BIH count them: matching, tables, rules, the jk index.

A table has a row for each true class and for O (no beat there) and X (a stretch that the reference declares
unreadable), and a column for each class decided and for o (missed) and x (a stretch that the detector declares
unreadable). Knows classes and positions; must not know files, nor which symbol of an annotation is which class.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float64, Int, Int8

from vicinal.errors import FormatError
from vicinal.evidence.confusion import kappa, ratio
from vicinal.evidence.metric import Metric, mean_of_sums, summed
from vicinal.scoretable import ScoreTable

__all__ = [
    "CLASSES",
    "COLUMNS",
    "ROWS",
    "VARIANTS",
    "Qrs",
    "beat_metrics",
    "beat_table",
    "beat_tables",
    "jk",
    "match_beats",
    "outside",
    "ppv_of",
    "qrs",
    "sensitivity_of",
]

CLASSES = ("N", "S", "V", "F", "Q")
ROWS = (*CLASSES, "O", "X")
COLUMNS = (*CLASSES, "o", "x")

VARIANTS = {"": (), "@strict": ("202",), "@without-232": ("232",)}
"""Records that a row of results leaves out: none as published; 202, the man of 201, who is trained on; and 232, which
alone holds three of four S beats of DS2."""

# F or Q called V, and Q called S, are neither rewarded nor penalised.
_FALSE = {"V": ("N", "S", "O", "X"), "S": ("N", "V", "F", "O", "X")}
_WINDOW_S = 0.15

Sums = Float64[np.ndarray, "*resamples c"]
Values = Float64[np.ndarray, "*resamples"]
Positions = Int[np.ndarray, " n"]


@dataclass(frozen=True)
class Qrs:
    """Detection of beats of any class: the share of true beats found, and of found beats that are true."""

    sensitivity: float
    ppv: float


def match_beats(reference: Positions, test: Positions, *, rate_hz: float) -> Int[np.ndarray, "pairs 2"]:
    """Return which reference beat and which test beat are the same, as indices into both.

    Two beats pair when each is the other's nearest and they are at most 150 ms apart: floor(0.15 * rate + 0.5)
    samples, as in `bxb`. Of two that are equally near the earlier one is the nearest.

    Args:    reference, test: positions in samples, rising.
    Raises:  FormatError: when positions do not rise.
    """
    for name, positions in (("reference", reference), ("test", test)):
        if (np.diff(positions) <= 0).any():
            raise FormatError(f"matching beats: positions of the {name} must rise. Sort them, each once.")
    if not len(reference) or not len(test):
        return np.empty((0, 2), np.int64)
    window = int(np.floor(_WINDOW_S * rate_hz + 0.5))
    nearest, back = _nearest(reference, test), _nearest(test, reference)
    index = np.arange(len(reference))
    paired = (back[nearest] == index) & (np.abs(test[nearest] - reference) <= window)
    return np.stack([index[paired], nearest[paired]], axis=1)


def outside(positions: Positions, stretches: Int[np.ndarray, "k 2"]) -> Bool[np.ndarray, " n"]:
    """Return which positions lie in none of the stretches, both ends of which belong to it.

    For ventricular flutter, from `[` to `]`, where nothing is compared: leave out such beats of both sides first.
    """
    inside = (positions[:, None] >= stretches[:, 0]) & (positions[:, None] <= stretches[:, 1])
    return np.asarray(~inside.any(axis=1))


def beat_table(
    reference: Sequence[str],
    test: Sequence[str],
    pairs: Int[np.ndarray, "pairs 2"],
    *,
    reference_unreadable: Bool[np.ndarray, " m"] | None = None,
    test_unreadable: Bool[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, "7 7"]:
    """Count beats by true class and class decided.

    Args:    reference: (n,) classes of the true beats.  test: (m,) classes of the detected ones.
             pairs: from `match_beats`.
             reference_unreadable: (m,) detected beats in a stretch that the reference declares unreadable.
             test_unreadable: (n,) true beats in a stretch that the detector declares unreadable.
    Returns: `ROWS` by `COLUMNS`.
    Raises:  FormatError: when a class is none of `CLASSES`.
    """
    rows = _indices(reference, where="reference")
    columns = _indices(test, where="test")
    counts = np.zeros((len(ROWS), len(COLUMNS)), np.int64)
    np.add.at(counts, (rows[pairs[:, 0]], columns[pairs[:, 1]]), 1)
    missed = np.setdiff1d(np.arange(len(rows)), pairs[:, 0])
    extra = np.setdiff1d(np.arange(len(columns)), pairs[:, 1])
    unread = np.zeros(len(rows), bool) if test_unreadable is None else test_unreadable
    unknown = np.zeros(len(columns), bool) if reference_unreadable is None else reference_unreadable
    np.add.at(counts, (rows[missed], np.where(unread[missed], COLUMNS.index("x"), COLUMNS.index("o"))), 1)
    np.add.at(counts, (np.where(unknown[extra], ROWS.index("X"), ROWS.index("O")), columns[extra]), 1)
    return counts


def qrs(counts: Int[np.ndarray, "7 7"]) -> Qrs:
    """Return sensitivity TP / (TP + missed) and PPV TP / (TP + extra) of detection, whatever the class.

    Beats in unreadable stretches are neither missed nor extra. NaN where undefined.
    """
    k = len(CLASSES)
    found, missed, extra = counts[:k, :k].sum(), counts[:k, k].sum(), counts[k, :k].sum()
    shares = ratio(np.array([found, found], float), np.array([found + missed, found + extra], float))
    return Qrs(float(shares[0]), float(shares[1]))


def sensitivity_of(name: str) -> Callable[[Sums], Values]:
    """Return the sensitivity of "V" or "S", a function of the flat cells of tables: the diagonal over the row."""
    at = CLASSES.index(name)

    def value(sums: Sums) -> Values:
        counts = _square(sums)
        return ratio(counts[..., at, at], counts[..., at, :].sum(axis=-1))

    return value


def ppv_of(name: str) -> Callable[[Sums], Values]:
    """Return the positive predictivity of "V" or "S": the diagonal over it and what counts as a false alarm."""
    at, false = CLASSES.index(name), [ROWS.index(row) for row in _FALSE[name]]

    def value(sums: Sums) -> Values:
        counts = _square(sums)
        return ratio(counts[..., at, at], counts[..., [at, *false], at].sum(axis=-1))

    return value


def jk(sums: Sums) -> Values:
    """Return 0.5 kappa + 0.125 (Se_S + Se_V + P_S + P_V), kappa over the beats that both sides give a class."""
    k = len(CLASSES)
    agreed = kappa(_square(sums)[..., :k, :k].reshape(*sums.shape[:-1], k * k))
    shares = [of(name)(sums) for of in (sensitivity_of, ppv_of) for name in ("S", "V")]
    return np.asarray(0.5 * agreed + 0.125 * np.sum(shares, axis=0))


def beat_metrics(
    table: ScoreTable,
    decisions: Int8[np.ndarray, "n k"] | None = None,
    maps: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> list[Metric]:
    """Return sensitivity and PPV of S and V, gross and as means over records, and jk, for each of `VARIANTS`.

    A mean over records leaves out those in which it is undefined. A variant without effect is not there.

    Args:    table: one row a beat, with a column `record`.  decisions: as of `metrics.compute`.
             maps: other maps than the one behind the table's truth, by name: the class of each symbol. The metrics are
             taken once more for each, with the truth that it gives to the column `symbol`, under names such as
             `jk@ec57` and `jk@ec57-strict`. Beats whose symbol it lacks do not count.
    Raises:  FormatError: when the table does not say the records, or its classes are not such.
    """
    if table.task != "classes" or "record" not in table.columns or not {"S", "V"} <= set(table.classes):
        raise FormatError(
            f"metrics of beats: expected exclusive classes, S and V among them, and a column 'record'; got the task "
            f"{table.task!r} with {', '.join(table.classes)} and the columns "
            f"{', '.join(sorted(table.columns)) or '(none)'}. "
            'Use the view "events" or "beats" of mitdb, or leave "beats" out of [evidence] metrics.'
        )
    found = list(_of_map(table, decisions, ""))
    for name, class_of in maps.items() if "symbol" in table.columns else ():
        found += _of_map(replace(table, truth=_truth_by(table, class_of)), decisions, name)
    return found


def beat_tables(
    table: ScoreTable,
    decisions: Int8[np.ndarray, "n k"] | None = None,
    maps: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> dict[str, Int[np.ndarray, "7 7"]]:
    """Return the gross table behind `beat_metrics`, `ROWS` by `COLUMNS`, by the end of its names: "", "@strict", ..."""
    tables = {"": table}
    if "symbol" in table.columns:
        tables |= {name: replace(table, truth=_truth_by(table, class_of)) for name, class_of in maps.items()}
    found = {}
    for name, one in tables.items():
        cell, decided = _cells(one, decisions)
        for mark, among in _variants(one, decided, name):
            counts = np.bincount(cell[among], minlength=len(ROWS) * len(COLUMNS))
            found[mark] = counts.reshape(len(ROWS), len(COLUMNS))
    return found


def _of_map(table: ScoreTable, decisions: Int8[np.ndarray, "n k"] | None, name: str) -> Iterator[Metric]:
    cell, decided = _cells(table, decisions)
    records = table.columns["record"].astype(str)
    for mark, among in _variants(table, decided, name):
        yield from _of_rows(table, cell, records, among, mark)


def _truth_by(table: ScoreTable, class_of: Mapping[str, str]) -> Float64[np.ndarray, "n k"]:
    """Return the truth that a map gives to the symbols of the beats; NaN where it gives none."""
    names = np.array([class_of.get(str(symbol), "") for symbol in table.columns["symbol"]])
    found = np.stack([(names == one).astype(np.float64) for one in table.classes], axis=1)
    found[found.sum(axis=1) == 0] = np.nan
    return found


def _cells(
    table: ScoreTable, decisions: Int8[np.ndarray, "n k"] | None
) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Return the cell of the flat table that each row belongs to, and which rows are known and decided."""
    names = _indices(table.classes, where="table")
    known = ~np.isnan(table.truth).any(axis=1)
    decided = known if decisions is None else known & (decisions >= 0).all(axis=1)
    called = np.argmax(table.probabilities if decisions is None else decisions, axis=1)
    cell = names[np.argmax(np.nan_to_num(table.truth), axis=1)] * len(COLUMNS) + names[called]
    return cell, decided


def _variants(
    table: ScoreTable, decided: Bool[np.ndarray, " n"], name: str
) -> Iterator[tuple[str, Bool[np.ndarray, " n"]]]:
    """Yield the end of the names of each of `VARIANTS`, with its rows."""
    records = table.columns["record"].astype(str)
    for mark, without in VARIANTS.items():
        among = decided & ~np.isin(records, without)
        if not without or (among != decided).any():
            yield mark if not name else f"@{name}{mark.replace('@', '-')}", among


def _of_rows(
    table: ScoreTable,
    cell: Int[np.ndarray, " n"],
    records: np.ndarray,
    among: Bool[np.ndarray, " n"],
    mark: str,
) -> Iterator[Metric]:
    index = np.unique(table.clusters, return_inverse=True)[1]
    cells = np.zeros((int(among.sum()), len(ROWS) * len(COLUMNS)))
    cells[np.arange(len(cells)), cell[among]] = 1
    about = (table.truth == 1) & among[:, None]
    each = {name: about[:, [table.classes.index(name)]] for name in ("S", "V")}
    for kind, of in (("sensitivity", sensitivity_of), ("ppv", ppv_of)):
        for name, positive in each.items():
            yield summed(
                f"beat_{kind}[{name}]{mark}", cells, index[among], of(name),
                among=among, about=positive, scale="share",
            )  # fmt: skip
            # One row a record: its share, and that it has one.
            numbers, clusters = _by_record(cells, records[among], index[among])
            shares = of(name)(numbers)
            has_one = ~np.isnan(shares)
            rows = np.stack([shares, np.ones(len(shares))], axis=1)[has_one]
            yield summed(
                f"mean_beat_{kind}[{name}]{mark}", rows, clusters[has_one], mean_of_sums,
                among=among, about=positive, scale="share",
            )  # fmt: skip
    both = np.concatenate(list(each.values()), axis=1)
    yield summed(f"jk{mark}", cells, index[among], jk, among=among, about=both)


def _by_record(
    cells: Float64[np.ndarray, "m c"], records: np.ndarray, index: Int[np.ndarray, " m"]
) -> tuple[Float64[np.ndarray, "r c"], Int[np.ndarray, " r"]]:
    """Return the table of each record, flat, and its cluster."""
    _, first, record = np.unique(records, return_index=True, return_inverse=True)
    sums = np.zeros((len(first), cells.shape[1]))
    np.add.at(sums, record, cells)
    return sums, index[first]


def _nearest(of: Positions, among: Positions) -> Int[np.ndarray, " n"]:
    after = np.clip(np.searchsorted(among, of), 1, len(among) - 1) if len(among) > 1 else None
    if after is None:
        return np.zeros(len(of), np.int64)
    before = after - 1
    return np.where(np.abs(of - among[before]) <= np.abs(among[after] - of), before, after)


def _indices(classes: Sequence[str], *, where: str) -> Int[np.ndarray, " n"]:
    strange = sorted(set(classes) - set(CLASSES))
    if strange:
        raise FormatError(
            f"a table of beats: the {where} has the classes {', '.join(strange)}; expected {', '.join(CLASSES)}. "
            "Map its symbols first."
        )
    return np.array([CLASSES.index(name) for name in classes], np.int64)


def _square(sums: Sums) -> Float64[np.ndarray, "*resamples 7 7"]:
    return sums.reshape(*sums.shape[:-1], len(ROWS), len(COLUMNS))
