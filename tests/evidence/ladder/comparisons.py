"""What `compare.json` holds, made up, and what its verdict says."""

from typing import Any

from vicinal.evidence.ladder.verdict import verdict


def interval(value: float, half: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def network(
    value: float, *, gap: float = 0.05, step_ms: float = 2.0, change: float = -0.2, cut: float = 0.1
) -> Any:
    point = {
        "share": 0.1,
        "n_train_subjects": 40,
        **interval(value - 0.1),
        "gap": interval(gap),
        "seeds": [value - 0.1] * 3,
    }
    timed = {"median": step_ms, "least": step_ms * 0.95, "most": step_ms * 1.05}
    stage = {
        "receptive_field_ms": 70.0,
        "receptive_field_samples": 7,
        "whole_minus_cut": {**interval(cut), "p": 0.001 if abs(cut) > 0.01 else 0.5},
    }
    return {
        "curve": [point, {**point, "share": 1, "n_train_subjects": 400, **interval(value)}],
        "needed": {
            "value": 120.0,
            "low": 90.0,
            "high": None,
            "fewest_tried": 40,
            "most_tried": 400,
            "at_most": False,
        },
        "step_ms": timed,
        "infer_per_second": timed,
        "parameters": 1000,
        "match_ratio": 1.0,
        "dense_equivalent_parameters": 50_000,
        "translation": [
            {"shift": 0.1, "change": interval(change), "decisions_changed": 0.25},
        ],
        "stages": [stage, {"receptive_field_ms": 150.0}],
        "concentration": {**interval(0.4), "n_signals": 16},
        "seconds_to_target": {"median": step_ms, "least": 1.0, "most": 9.0, "n_reached": 3, "n_seeds": 3},
        "findings": {},
        "history": [[[1.0, 10, 0.9]]] * 3,
        "failed": [],
    }


def evidence(**networks: Any) -> dict[str, Any]:
    names = list(networks)
    return {
        "metric": "auroc",
        "target": 0.9,
        "unit": "subjects",
        "match": "parameters",
        "n_seeds": 3,
        "networks": networks,
        "contrasts": [
            {"a": a, "b": b, **interval(0.1), "clear": True}
            for k, a in enumerate(names)
            for b in names[k + 1 :]
        ],
        "needed_ratios": [
            {"a": name, "b": names[0], "bound": "", "value": 0.4, "low": 0.3, "high": 0.6, "clear": True}
            for name in names[1:]
        ],
        "gap_contrasts": [
            {"a": name, "b": names[0], "n_train_subjects": n, **interval(-0.1), "clear": True}
            for n in (40, 400)
            for name in names[1:]
        ],
        "removed": [],
    }


def said(made: dict[str, Any], question: str) -> tuple[str, str]:
    return next(
        (one["answer"], one["sentence"]) for one in verdict(made) if one["question"].startswith(question)
    )
