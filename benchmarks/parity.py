"""bfloat16 against float32 on a trained network: AUROC and decisions on the test rows of a finished run.

    python benchmarks/parity.py RUN... [--data FOLDER]

The model of each run scores the same packed rows in both precisions; calibration and threshold stay as the run fitted
them. The aims: AUROC within 0.001, decisions equal on at least 99.8 % of rows.
"""

import argparse
from pathlib import Path

import numpy as np

from vicinal.evidence.metrics import auroc
from vicinal.experiment import experiment_of
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scoretable import ScoreTable
from vicinal.terminal import Quiet
from vicinal.workflow.gathering import pack_of


def compare(run: Path, data: Path | None) -> None:
    model = Model.load(run / "model.vicinal")
    assert model.policy is not None
    pack = pack_of(experiment_of(run), data=data, show=Quiet()).pack
    rows = np.flatnonzero(np.isin(pack.ids, ScoreTable.read(run / "scores" / "test.parquet").ids))
    tables = {
        precision: score_pack(model.scorer(precision), pack, rows, role="test")  # type: ignore[arg-type]
        for precision in ("float32", "bfloat16")
    }
    found = {name: auroc(one.truth[:, 0], one.probabilities[:, 0]) for name, one in tables.items()}
    decided = [model.policy.decide(one.probabilities) for one in tables.values()]
    n_equal = int((decided[0] == decided[1]).all(axis=1).sum())
    print(
        f"{run}: AUROC float32 {found['float32']:.5f}, bfloat16 {found['bfloat16']:.5f}, "
        f"difference {found['bfloat16'] - found['float32']:+.5f}; "
        f"{n_equal:,} of {len(rows):,} decisions equal ({n_equal / len(rows):.2%}); fitted in {model.precision}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    for one in options.runs:
        compare(one, options.data)
