"""What a step of preparation or augmentation costs to keep: seconds, packages, and fields that must be maintained.

Wiring: steps are carried out in `inputs/prepare.py` and `inputs/augment.py`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.errors import VicinalError
from vicinal.experiment import Experiment
from vicinal.inputs.augment import augment, parse_augment
from vicinal.inputs.prepare import prepare
from vicinal.workflow.contenders import Contender
from vicinal.workflow.packing import source_of
from vicinal.workflow.trial import gathered_for

__all__ = ["burdens", "needed_steps"]

PACKAGES: dict[str, tuple[str, ...]] = {
    "resample": ("numpy", "scipy"),
    "high_pass": ("numpy", "scipy"),
    "low_pass": ("numpy", "scipy"),
    "notch": ("numpy", "scipy"),
    "resize": ("numpy", "scipy"),
}
"""That a step of a contract needs; the others need NumPy alone, as augmentation does."""

_N_TIMED = 64
_N_ROUNDS = 5


def needed_steps(found: Sequence[Contender], data: Path | None) -> dict[str, str]:
    """Return the contenders whose recordings cannot be prepared without the step that they leave out, with why."""
    needed = {}
    for one in found:
        if one.removed is not None:
            try:
                gathered_for(one.experiment, data)
            except VicinalError as error:
                # What is wrong, and of the first recording: the others say the same.
                what, *which = str(error).splitlines()
                needed[one.name] = " ".join([what, *(line.strip() for line in which[:1])])
    return needed


def burdens(removed: tuple[str, Any] | None, experiment: Experiment, data: Path | None) -> dict[str, Any]:
    """Return what an entry of a list costs.

    Args:    removed: the key of the list, and the entry.  experiment: with the entry in place.
    Returns: {"kind": "preparation" | "augmentation" | "other", "ms_per_recording": of the step alone, with a
             median recording, or None, "packages": names, "contract_fields": how many fields of a contract it adds}.
    """
    key, entry = removed if removed is not None else ("", None)
    if key == "inputs.contract.steps" and isinstance(entry, Mapping):
        name = str(entry.get("step"))
        return {
            "kind": "preparation",
            "ms_per_recording": _preparation_ms(entry, experiment, data),
            "packages": list(PACKAGES.get(name, ("numpy",))),
            "contract_fields": len(entry),
        }
    if key == "training.augment" and isinstance(entry, Mapping):
        return {
            "kind": "augmentation",
            "ms_per_recording": _augmentation_ms(entry, experiment, data),
            "packages": ["numpy"],
            "contract_fields": 0,
        }
    return {"kind": "other", "ms_per_recording": None, "packages": [], "contract_fields": 0}


def _preparation_ms(entry: Mapping[str, Any], experiment: Experiment, data: Path | None) -> float | None:
    """Time preparing recordings with the step and without it, in turn; None where they cannot do without."""
    source = source_of(experiment.inputs, data)
    if source.catalogue is None or source.module is None:
        return None
    contract = experiment.inputs.contract
    steps = tuple(one for one in contract.steps if _as_table(one) != dict(entry))
    without = contract.model_copy(update={"steps": steps})
    signals = [source.module.read(one) for one in source.catalogue.recordings[:_N_TIMED]]
    try:
        rounds = [
            [[_seconds(prepare, signal, one) for one in (contract, without)] for signal in signals]
            for _ in range(_N_ROUNDS)
        ]
    except VicinalError:
        return None
    # Other work on the machine only ever adds time, so the least is nearest to what it takes; where that lasted for
    # all rounds of a recording, the median does not follow.
    least = np.min(rounds, axis=0)
    return 1000 * float(np.median(least[:, 0] - least[:, 1]))


def _augmentation_ms(entry: Mapping[str, Any], experiment: Experiment, data: Path | None) -> float:
    gathered = gathered_for(experiment, data)
    x, lengths = gathered.pack.rows(gathered.split.indices("train")[:_N_TIMED])
    step = parse_augment([dict(entry)])
    rate_hz = experiment.inputs.contract.position_rate_hz
    rounds = [
        _seconds(augment, x, lengths, step, np.random.default_rng(0), rate_hz=rate_hz)
        for _ in range(_N_ROUNDS)
    ]
    return 1000 * min(rounds) / len(x)


def _seconds(work: Callable[..., object], *given: Any, **named: Any) -> float:
    start = time.perf_counter()
    work(*given, **named)
    return time.perf_counter() - start


def _as_table(step: Any) -> dict[str, Any]:
    return {name: value for name, value in step.model_dump(mode="json").items() if value is not None}
