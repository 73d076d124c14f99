"""A report with everything in it, and one with nothing, shared by the tests of this folder."""

from typing import Any

import numpy as np

from vicinal.evidence.report.content import Example, Report, Stage

__all__ = ["full_report", "metric", "small_report"]


def metric(value: float, **more: Any) -> dict[str, Any]:
    edges = {"low": value - 0.0511, "high": value + 0.0211, "n": 4321, "n_subjects": 1234}
    return {"value": value, **edges, "n_positive_subjects": 87, **more}


def full_report() -> Report:
    rng, n = np.random.default_rng(0), 120
    truth = (rng.random((n, 1)) < 0.4).astype(float)
    probability = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.2, (n, 1)), 0, 1)
    decisions = (probability >= 0.42).astype(np.int8)
    decisions[:3] = -1
    counted = {"value": 46.4, "low": 43.0, "high": 48.2}
    evidence = {
        "metrics": {
            "auroc": metric(0.9123),
            "sensitivity": metric(0.8765, unreliable=True),
            "mcc": metric(0.71),
        },
        "policy": {"kind": "threshold", "classes": ["A"], "thresholds": [0.42], "aim": "sensitivity >= 0.95"},
        "meaning": {
            "sentence": "Of 1,000 people, 50 have A.",
            "prevalence": 0.05,
            "found": counted,
            "missed": {"value": 3.6, "low": 1.8, "high": 7.0},
            "referred": {"value": 0.0, "low": 0.0, "high": 0.0},
            "false_alarms": {"value": 159.7, "low": 121.0, "high": 208.0},
        },
        "protocol": {"seed": 0, "evidence_rows": "test"},
    }
    return Report(
        title="Atrial fibrillation <script>alert(1)</script> & more",
        command="vicinal run experiments/af.toml",
        experiment='title = "Atrial fibrillation"',
        evidence=evidence,
        classes=("A",),
        truth=truth,
        probability=probability,
        decisions=decisions,
        dataflow=[("inputs", "8,528 recordings", "1 lead, 300 Hz"), ("scores", "logit", "1")],
        counts={"train": {"rows": 5116, "A": 455}, "test": {"rows": 1706, "A": 152}},
        exclusions=[("A0041", "shorter than 9 s")],
        findings=[("identical_signals", "warning", "A00227 and A01176 are the same.")],
        stages=[Stage("conv 64 window 7", "64 × 1500", 448, 23.3), Stage("dense 1", "1", 65)],
        history=[
            {
                "epoch": k,
                "training_loss": 1 / k,
                "validation": {"loss": 1.1 / k, "auroc": 0.8},
                "best": k == 3,
            }
            for k in range(1, 5)
        ],
        monitor=[("overfitting", "overfitting since epoch 3")],
        select="auroc",
        errors=[
            Example(
                "A0009",
                "A",
                "not A",
                0.031,
                np.sin(np.arange(300))[None],
                300.0,
                "mV",
                ("ECG",),
                adds=np.eye(1, 300, 150),
                about="A",
            ),
            Example("A0010", "not A", "A", 0.97, np.full((1, 300), np.nan), 300.0, "uV"),
        ],
        card="# Card\n\n## Model\n\nDecides A.\n\n    conv 64\n\n| metric | value |\n|---|---|\n| auroc | 0.912 |\n",
        versions={"vicinal": "0.1.0", "numpy": "2.3.1"},
    )


def small_report() -> Report:
    """Without anything to draw."""
    nothing = np.zeros((0, 1))
    return Report("Small", "vicinal run x.toml", "", {}, ("A",), nothing, nothing)
