"""What a run was, as the parts of `evidence.json` that describe it: dataflow, data, network, training, versions.

The report is made from them alone, so that it can be made again when neither data nor training are at hand.
"""

import math
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import vicinal
from vicinal.inputs.leakage.finding import Finding
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split
from vicinal.representations.inspection import Inspection, inspect
from vicinal.scores.model import Model
from vicinal.workflow.learning import Learned
from vicinal.workflow.reporting_events import n_positives

__all__ = ["described_run", "described_training"]

_MOST_SKIPPED = 200


def described_run(pack: Pack, split: Split, findings: Sequence[Finding], model: Model) -> dict[str, Any]:
    """Return {"dataflow", "data", "network", "versions"}.

    Args:    split: the parts that are counted.  model: of the run, or of one fold of it.
    """
    inspection = inspect(
        model.network,
        input_shape=model.input_shape,
        rate_hz=model.contract.position_rate_hz,
        n_outputs=len(pack.classes),
    )
    return {
        "dataflow": _dataflow(pack, model, inspection),
        "data": {
            "parts": _counts(pack, split),
            "n_skipped": len(pack.skipped),
            "skipped": [list(pair) for pair in pack.skipped[:_MOST_SKIPPED]],
            "findings": [[one.kind, one.severity, one.message] for one in findings],
        },
        "network": _network(inspection),
        "versions": {
            "vicinal": vicinal.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def described_training(learned: Learned) -> dict[str, Any]:
    """Return {"training"}: the metric that chose the epoch, and what the monitor found."""
    findings = [[one.kind, one.message] for one in learned.monitor.findings]
    return {"training": {"select": learned.select, "findings": findings}}


def _dataflow(pack: Pack, model: Model, inspection: Inspection) -> list[dict[str, Any]]:
    contract = model.contract
    steps = ", ".join(step.step.replace("_", " ") for step in contract.steps) or "as it is"
    rate = contract.position_rate_hz
    at = "" if rate is None else f" at {rate:g} Hz"
    entered = _shape(contract.input_shape)
    n, row = len(pack.classes), "event" if pack.task == "events" else "recording"
    called = {
        "binary": "one logit -> sigmoid", "classes": "logits -> softmax over the classes",
        "labels": "logits -> a sigmoid for each", "events": "logits -> a sigmoid for each",
    }[model.calibration.task]  # fmt: skip
    kind = model.calibration.kind
    calibrated = "no calibration" if kind == "none" else f"calibrated by {kind}"
    inner = [
        {
            "step": stage.text,
            "what": _sees(stage.receptive_field_ms),
            "shape": _shape(stage.shape),
            "sizes": list(stage.shape),
            "inner": True,
        }
        for stage in inspection.stages
    ]
    return [
        {
            "step": "inputs",
            "what": f"{len(pack):,} recordings read; {len(pack.skipped):,} left out",
            "shape": ", ".join(contract.channels) or contract.axes,
        },
        {
            "step": "prepared",
            "what": steps,
            "shape": f"{entered}{at}, {contract.units}",
            "sizes": list(contract.input_shape),
        },
        {
            "step": "representations",
            "what": f"{inspection.parameters:,} parameters in {len(inspection.stages)} stages",
            "shape": f"{entered} -> {n}",
        },
        *inner,
        {"step": "scores", "what": f"{called}, {calibrated}", "shape": f"{n} per {row}", "sizes": [n, 1]},
        {
            "step": "decisions",
            "what": "by the policy",
            "shape": ", ".join(pack.classes) if len(pack.classes) < 8 else f"{len(pack.classes)} classes",
        },
    ]


def _sees(receptive_field_ms: float | None) -> str:
    if receptive_field_ms is None:
        return ""
    if receptive_field_ms < 1000:
        return f"one unit sees {receptive_field_ms:.0f} ms"
    return f"one unit sees {receptive_field_ms / 1000:.3g} s"


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(f"{n:,}" for n in shape)


def _counts(pack: Pack, split: Split) -> dict[str, dict[str, int]]:
    """Rows by class in each part, and how many subjects they come from where subjects are known."""
    counts = {}
    for part in split.counts:
        rows = split.indices(part)
        by_class = dict(zip(pack.classes, n_positives(pack, rows).tolist(), strict=True))
        subjects = {} if pack.subjects is None else {"subjects": len(np.unique(pack.subjects[rows]))}
        counts[part] = {"rows": len(rows), **by_class, **subjects}
    return counts


def _network(inspection: Inspection) -> dict[str, Any]:
    stages = [
        {
            "stage": stage.text,
            "shape": list(stage.shape),
            "parameters": stage.parameters,
            "receptive_field_ms": _finite(stage.receptive_field_ms),
        }
        for stage in inspection.stages
    ]
    return {
        "parameters": inspection.parameters,
        "multiply_adds": inspection.multiply_adds,
        "stages": stages,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
