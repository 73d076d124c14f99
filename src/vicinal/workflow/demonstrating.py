"""`vicinal demo`: the founding example, through the same `compare`, `run`, `score` and `trace` as any experiment."""

import importlib.resources
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.errors import PathError
from vicinal.evidence.ladder.claims import Claim, claims
from vicinal.files import write_bytes
from vicinal.inputs.datasets import mitdb, store, synthetic
from vicinal.scores import trace as tracing
from vicinal.scores.model import Model
from vicinal.scores.trace import Trace
from vicinal.scores.trace_page import write_page
from vicinal.terminal import QUIET, Show
from vicinal.workflow.run_folder import free_folder
from vicinal.workflow.running import Run, run
from vicinal.workflow.scoring import Scored, score, trace
from vicinal.workflow.varying import Varied, vary

__all__ = ["NETWORKS", "Demo", "demo"]

NETWORKS = {
    "dense": "dense 9 | relu | dense 5 | relu | dense 1",
    "local": "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1",
    "conv": "conv 1 window 20 stride 10 | relu | conv 1 window 5 | relu | flatten | dense 1",
    "conv + mean": "conv 8 window 20 | relu | conv 8 window 5 | relu | mean | dense 1",
}
"""What is compared: the founding example's three, and one that pools."""

_COHORTS = (60, 400)
_A_NEW_PERSON = 987_654
_R_PEAK_S = 0.4


@dataclass(frozen=True)
class Demo:
    """What the demo found and left behind."""

    folder: Path
    compared: list[Varied]
    claims: list[Claim]
    best: str
    run: Run
    scored: Scored
    traced: Trace
    heartbeat: Trace | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return {
            "folder": str(self.folder),
            "compared": [{"name": result.row.name, **result.to_dict()} for result in self.compared],
            "claims": [vars(claim) for claim in self.claims],
            "best": self.best,
            "evidence": self.run.evidence,
            "scored": self.scored.to_dict(),
            "trace": self.traced.to_dict(),
            "heartbeat": None if self.heartbeat is None else self.heartbeat.to_dict(),
            "seconds": self.seconds,
        }


def demo(*, output: Path | None = None, data: Path | None = None, show: Show = QUIET) -> Demo:
    """Compare four networks on made-up hearts, take the best one to decisions, and score a new file with it.

    Args:    output: an empty or new folder; by default `runs/demo`, with a number where that is taken.
             data: where real recordings lie; by default where `vicinal get` or `$VICINAL_DATA` puts them.
    """
    started = time.monotonic()
    with importlib.resources.as_file(importlib.resources.files("vicinal.workflow") / "founding.toml") as path:
        compared = _compare(path, show)
        best = max(_hardest(compared), key=lambda result: result.validation)
        chosen = f"representations.network={json.dumps(best.row.network)}"
        done = run(path, output=free_folder(output, "demo"), overrides=[chosen], show=show)
    model = done.folder / "model.vicinal"
    person = _write_person(done.folder / "new-person.csv")
    return Demo(
        folder=done.folder,
        compared=compared,
        claims=claims([result.row for result in compared]),
        best=best.row.name,
        run=done,
        scored=score(model, [person], output=done.folder / "scores.csv"),
        traced=trace(model, person, html=done.folder / "trace.html"),
        heartbeat=_heartbeat(done.folder, data),
        seconds=time.monotonic() - started,
    )


def _compare(path: Path, show: Show) -> list[Varied]:
    """Compare the networks in both regimes and cohorts: `vicinal compare` with three keys varied."""
    names = {text: name for name, text in NETWORKS.items()}
    keys = (
        "inputs.options.aligned=true,false",
        f"inputs.split.train_subjects={','.join(map(str, _COHORTS))}",
        f"representations.network={','.join(json.dumps(text) for text in NETWORKS.values())}",
    )
    results = vary(path, keys, show=show)
    return [replace(one, row=replace(one.row, name=names[one.row.name])) for one in results]


def _hardest(results: list[Varied]) -> list[Varied]:
    """Return the variants as one would meet them in use: any phase, and all the data there are."""
    keys = {"inputs.options.aligned": False, "inputs.split.train_subjects": max(_COHORTS)}
    return [one for one in results if all(one.settings[key] == value for key, value in keys.items())]


def _write_person(path: Path) -> Path:
    """Write one second of someone who is not in the cohort, as the CSV file that anybody might have."""
    cohort = synthetic.catalogue(n_subjects=2, clips_per_subject=1, aligned=False, seed=_A_NEW_PERSON)
    signal = synthetic.read(cohort.recordings[-1])
    seconds = np.arange(signal.samples.shape[1]) / (signal.rate_hz or 1.0)
    rows = zip(seconds.tolist(), signal.samples[0].tolist(), strict=True)
    lines = ["time_s,ECG [mV]", *(f"{second:.2f},{value:.6f}" for second, value in rows)]
    write_bytes(path, ("\n".join(lines) + "\n").encode())
    return path


def _heartbeat(folder: Path, data: Path | None) -> Trace | None:
    """Score and draw one real heartbeat, where MIT-BIH is at hand."""
    try:
        root = store.find("mitdb", data)
    except PathError:
        if data is not None:
            raise
        return None
    record = mitdb.read(mitdb.catalogue(root).recordings[0])
    beat = mitdb.heartbeat(record, number=10, before_s=_R_PEAK_S, after_s=1 - _R_PEAK_S)
    traced = tracing.trace(Model.load(folder / "model.vicinal"), beat)
    write_page(folder / "heartbeat.html", traced)
    return traced
