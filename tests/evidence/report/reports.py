"""A report with everything in it, and one with nothing, shared by the tests of this folder."""

from typing import Any

import numpy as np

from vicinal.evidence.report.content import Example, Report

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
        "protocol": {
            "title": "Atrial fibrillation <script>alert(1)</script> & more",
            "command": "vicinal run experiments/af.toml", "seed": 0, "evidence_rows": "test", "role": "test",
        },
        "dataflow": [
            {"step": "inputs", "what": "8,528 recordings", "shape": "1 lead, 300 Hz"},
            {"step": "conv 64", "what": "", "shape": "64 x 1,500", "sizes": [64, 1500], "inner": True},
            {"step": "decisions", "what": "by the policy", "shape": "A"},
        ],
        "data": {
            "parts": {"train": {"rows": 5116, "A": 455}, "test": {"rows": 1706, "A": 152}},
            "n_skipped": 1, "skipped": [["A0041", "shorter than 9 s"]],
            "findings": [["identical_signals", "warning", "A00227 and A01176 are the same."]],
        },
        "network": {
            "parameters": 513,
            "stages": [
                {"stage": "conv 64 window 7", "shape": [64, 1500], "parameters": 448, "receptive_field_ms": 23.3},
                {"stage": "dense 1", "shape": [1], "parameters": 65, "receptive_field_ms": None},
            ],
        },
        "training": {"select": "auroc", "findings": [["overfitting", "overfitting since epoch 3"]]},
        "versions": {"vicinal": "0.1.0", "numpy": "2.3.1"},
        "confusion": [
            {
                "class": "A", "decided": ["A", "not A", "referred"],
                "rows": [
                    {"truth": "A", "counts": [30, 9, 1], "shares": [0.75, 0.225, 0.025]},
                    {"truth": "not A", "counts": [20, 58, 2], "shares": [0.25, 0.725, 0.025]},
                ],
            }
        ],
        "errors": {
            "A": {
                "missed": {
                    "n": 9,
                    "listed": [
                        {"id": "A0009", "probability": 0.031},
                        {"id": "A0011", "probability": 0.044},
                    ],
                },
                "false_alarms": {"n": 1, "listed": [{"id": "A0010", "probability": 0.97}]},
            }
        },
    }  # fmt: skip
    return Report(
        evidence=evidence,
        experiment='title = "Atrial fibrillation"',
        classes=("A",),
        truth=truth,
        probability=probability,
        decisions=decisions,
        history=[
            {
                "epoch": k,
                "training_loss": 1 / k,
                "validation": {"loss": 1.1 / k, "auroc": 0.8},
                "best": k == 3,
            }
            for k in range(1, 5)
        ],
        examples=[
            Example(
                "A0009",
                "A",
                np.sin(np.arange(300))[None],
                300.0,
                "mV",
                ("ECG",),
                adds=np.eye(1, 300, 150),
            ),
            Example("A0010", "A", np.full((1, 300), np.nan), 300.0, "uV"),
        ],
        card="# Card\n\n## Model\n\nDecides A.\n\n    conv 64\n\n| metric | value |\n|---|---|\n| auroc | 0.912 |\n",
    )


def small_report() -> Report:
    """Without anything to draw."""
    nothing = np.zeros((0, 1))
    return Report({}, ("A",), nothing, nothing)
