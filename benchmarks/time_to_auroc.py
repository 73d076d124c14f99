"""How long until a network ranks validation rows well enough: the engine against plain float32 layers, in one run.

    python benchmarks/time_to_auroc.py [EXPERIMENT] [--auroc 0.97] [--steps 2228]

Both train the network of the experiment on the same batches, from the same weights, with the same schedule; what
differs is how it is computed: the engine as it chooses itself, and `nn.Conv1d` with its companions in float32, batch
first. Validation after each epoch counts, each way its own. One follows the other, so the load is printed with both.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from vicinal.bench.plain import plain
from vicinal.experiment import load_experiment
from vicinal.inputs.batches import Batches
from vicinal.representations.engine import Engine, choose
from vicinal.representations.network import Network, build
from vicinal.terminal import Terminal
from vicinal.training.loop import fit
from vicinal.training.monitor import Monitor
from vicinal.workflow.gathering import gather

SCORED_AT_A_TIME = 32


class AurocReachedError(Exception):
    """The validation AUROC is where it should be."""


class Plain(nn.Module):
    """A network in plain layers, under the signature that training calls."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits; plain layers take padding for signal."""
        del lengths
        logits: Tensor = self.network(x)
        return logits


@dataclass(frozen=True)
class PlainEngine:
    """float32 as arrays lie, which is what an engine that does nothing does."""

    device: str = "cpu"

    def place(self, network: nn.Module) -> nn.Module:
        """Leave the network as it is."""
        return network

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that changes nothing."""
        return contextlib.nullcontext()

    def tensor(self, array: np.ndarray | None) -> Any:
        """Return the array as a tensor; None stays None."""
        return None if array is None else torch.from_numpy(array)


def plain_scores(network: nn.Module, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return logits of one batch after the other."""
    del lengths
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(x[i : i + SCORED_AT_A_TIME])) for i in range(0, len(x), SCORED_AT_A_TIME)
        ]
    return torch.cat(parts).numpy()


def main() -> None:
    """Train both ways, each until its validation AUROC is reached, and print the minutes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", nargs="?", type=Path, default=Path("experiments/cinc2017-af.toml"))
    parser.add_argument("--auroc", type=float, default=0.97)
    parser.add_argument("--steps", type=int, default=2228, help="of the whole schedule")
    given = parser.parse_args()
    experiment, _ = load_experiment(given.experiment)
    gathered = gather(experiment, data=None, show=Terminal(), with_copies=False)
    config = experiment.training.model_copy(
        update={"minutes": None, "epochs": None, "steps": given.steps, "select": "auroc"}
    )
    pack, train, validation = (
        gathered.pack, gathered.split.indices("train"), gathered.split.indices("validation"),
    )  # fmt: skip
    x, lengths = pack.rows(validation)
    truth = pack.truth[validation][:, 0]

    def minutes(
        network: nn.Module, engine: Any, scores: Callable[[nn.Module], np.ndarray]
    ) -> tuple[float | None, float]:
        """Return the minutes until the AUROC was reached, None when it was not, and the last AUROC."""
        found = [0.0]

        def validate(judged: nn.Module) -> dict[str, float]:
            found[0] = float(roc_auc_score(truth, scores(judged)[:, 0]))
            if found[0] >= given.auroc:
                raise AurocReachedError
            return {"auroc": found[0], "loss": float("nan")}

        batches = Batches(
            pack, train, batch=config.batch, seed=experiment.seed, augment=config.augment,
            rate_hz=experiment.inputs.contract.position_rate_hz,
        )  # fmt: skip
        start = time.perf_counter()
        try:
            fit(
                network, batches, validate=validate, config=config, task=experiment.inputs.task,
                monitor=Monitor(), engine=engine, seed=experiment.seed,
            )  # fmt: skip
        except AurocReachedError:
            return (time.perf_counter() - start) / 60, found[0]
        return None, found[0]

    def fresh() -> Network:
        return build(
            experiment.representations.network, input_shape=experiment.inputs.contract.input_shape,
            n_outputs=len(pack.classes), seed=experiment.seed,
        )  # fmt: skip

    engine: Engine = choose()
    ours = minutes(
        fresh(), engine, lambda network: engine.scorer(network, batch=SCORED_AT_A_TIME)(x, lengths)
    )
    report(f"engine, {engine.precision}", *ours, aim=given.auroc)
    usual = minutes(Plain(plain(fresh())), PlainEngine(), lambda network: plain_scores(network, x, lengths))
    report("plain nn.Conv1d, float32", *usual, aim=given.auroc)


def report(name: str, minutes: float | None, auroc: float, *, aim: float) -> None:
    """Print what one way took."""
    took = f"not reached, at last {auroc:.4f}" if minutes is None else f"{minutes:.2f} minutes ({auroc:.4f})"
    print(
        f"{name}: AUROC {aim} {took}; {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
