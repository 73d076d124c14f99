"""The recordings that a report draws among the errors, kept in the run folder as `errors.safetensors`.

Chosen so that they are the most confident errors of any policy, with what the network looked at in each: neither
data nor model are needed to draw them under another one. Wiring only.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int8

from vicinal.evidence.mistakes import could_be_mistaken, mistakes
from vicinal.evidence.report.content import Example
from vicinal.files import write_bytes
from vicinal.inputs.contract import Contract
from vicinal.inputs.pack import Pack
from vicinal.inputs.prepare import Prepared
from vicinal.scores.attribution import contributions
from vicinal.scores.model import Model
from vicinal.scores.weights import decode_weights, encode_weights
from vicinal.scoretable import ScoreTable
from vicinal.workflow.reporting_events import around, event_example

__all__ = ["FILE", "examples_of", "keep_examples"]

FILE = "errors.safetensors"
_MOST_OF_A_KIND = 12
_MOST = 48
_STEPS = 16
"""Of integrated gradients: enough for colours."""


def keep_examples(
    folder: Path,
    rows: Pack | Callable[[str], Prepared],
    table: ScoreTable,
    models: Sequence[Model],
    *,
    decisions: Int8[np.ndarray, "n k"] | None = None,
    name: str = FILE,
) -> None:
    """Write signals and attributions of the rows that could be drawn.

    Args:    rows: of the table, or what prepares the recording with an id again.
             table: the test rows.  models: the one that scored them, or one for each of their folds.
             decisions: where each fold decided by a policy of its own, which no later one replaces.
             name: of the file.
    """
    n_kinds = len(table.classes) * (1 if table.task == "classes" else 2)
    n = max(1, min(_MOST_OF_A_KIND, _MOST // n_kinds))
    chosen = could_be_mistaken(table, n=n) if decisions is None else _mistaken(table, decisions, n=n)
    read = _of_pack(rows) if isinstance(rows, Pack) else rows
    arrays: dict[str, np.ndarray] = {}
    for row, k in chosen[:_MOST]:
        model = models[0 if table.folds is None else int(table.folds[row])]
        if model.answers_at_events:
            drawn = around(rows, model.contract, table, row)
            arrays |= {f"{row} {k} {what}": array for what, array in drawn.items()}
            continue
        prepared = read(str(table.ids[row]))
        x = prepared.samples
        length = None if x.ndim > 2 else prepared.length
        adds, _ = contributions(
            model.build(),
            x,
            length=length,
            output=k,
            exclusive=table.task == "classes",
            steps=_STEPS,
        )
        arrays[f"{row} {k} samples"] = np.asarray(x[..., :length], np.float32)
        arrays[f"{row} {k} adds"] = np.asarray(adds, np.float32)
    write_bytes(folder / name, encode_weights(arrays))


def examples_of(folder: Path, table: ScoreTable, contract: Contract, *, name: str = FILE) -> list[Example]:
    """Return what was kept in a file of the folder; nothing where it keeps none.

    Raises:  FormatError: when the file is damaged.
    """
    path = folder / name
    if not path.is_file():
        return []
    arrays = decode_weights(path.read_bytes())
    scaled = any(step.step == "scale" for step in contract.steps)
    found = []
    for key in sorted(arrays):
        row, k, what = key.split()
        if what == "samples" and f"{row} {k} start" in arrays:
            start = int(arrays[f"{row} {k} start"][0])
            found.append(event_example(table, contract, int(row), int(k), arrays[key], start))
        elif what == "samples":
            example = Example(
                id=str(table.ids[int(row)]),
                about=table.classes[int(k)],
                samples=arrays[key],
                rate_hz=contract.position_rate_hz,
                unit="1" if scaled else contract.units,
                channels=contract.input_channels,
                adds=arrays[f"{row} {k} adds"],
            )
            found.append(example)
    return found


def _of_pack(pack: Pack) -> Callable[[str], Prepared]:
    """Return what reads a row of a pack by its id."""
    where = {name: k for k, name in enumerate(pack.ids.tolist())}

    def read(name: str) -> Prepared:
        x, lengths = pack.rows(np.array([where[name]]))
        valid = np.ones(x.shape[2:], bool)
        return Prepared(x[0], int(lengths[0]), valid, None, 0)

    return read


def _mistaken(table: ScoreTable, decisions: Int8[np.ndarray, "n k"], *, n: int) -> list[tuple[int, int]]:
    where = {name: row for row, name in enumerate(table.ids.tolist())}
    found = mistakes(table, decisions)
    return [
        (where[line["id"]], k)
        for k, name in enumerate(table.classes)
        for kind in found[name].values()
        for line in kind["listed"][:n]
    ]
