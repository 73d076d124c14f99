"""Records of a training run, as `history.jsonl` holds them, for the tests of what follows it."""

from typing import Any


def step(n: int, **changed: Any) -> dict[str, Any]:
    record = {
        "kind": "step", "step": n, "total": 8, "loss": 1.0 / n, "gradient_norm": 2.0, "learning_rate": 1e-3,
        "rows_per_s": 100.0,
    }  # fmt: skip
    return record | changed


def look(n: int, ratios: dict[str, float], dead: float | None) -> dict[str, Any]:
    return step(n, update_ratio=ratios, dead_units=dead)


def epoch(k: int, n: int, auroc: float | None, *, best: bool, **changed: Any) -> dict[str, Any]:
    record = {
        "kind": "epoch", "epoch": k, "step": n, "training_loss": 1.0 / k, "validation": {"auroc": auroc, "loss": 0.5,
        "ece": 0.1}, "training": {"auroc": 0.9, "loss": 0.4, "ece": 0.05}, "update_ratio": {"0.conv": 1e-3},
        "learning_rate": 1e-3, "dead_units": {}, "best": best, "select": "auroc", "seconds": 2.0 * k,
    }  # fmt: skip
    return record | changed


END = {"kind": "end", "step": 8, "total": 8, "best_epoch": 2, "stopped_early": False}
WHOLE = [
    look(1, {"0.conv": 1e-3, "2.dense": 4e-3}, None), step(2), step(3), step(4), epoch(1, 4, 0.7, best=True),
    step(5), step(6), step(7), look(8, {"0.conv": 2e-4, "2.dense": 1e-4}, 0.25), epoch(2, 8, 0.8, best=True), END,
]  # fmt: skip
