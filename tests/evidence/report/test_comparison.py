import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vicinal.evidence.report.comparison import Explained, render_comparison, write_comparison


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def network(value: float) -> dict[str, Any]:
    timed = {"median": 2.0, "least": 1.9, "most": 2.1}
    points = [
        {"n_train_subjects": n, "share": n / 400, **interval(value - less), "gap": interval(less)}
        for n, less in ((40, 0.1), (400, 0.0))
    ]
    return {
        "match": "width 8: 1,000 parameters, 1 times the reference's 1,000",
        "parameters": 1000, "multiply_adds": 9000, "activation_bytes": 4000,
        "learning_rate": 0.01, "rates_tried": {"0.01": 0.9, "0.1": None},
        "train_seconds": timed, "step_ms": timed, "infer_per_second": timed,
        "findings": {"overfitting": 2}, "failed": ["loss nan"], "select": "auroc",
        "history": [[[1.0, 5, 0.8], [2.0, 9, None]]],
        "curve": points, "needed": {"value": 120.0, "low": 90.0, "high": None, "fewest_tried": 40, "most_tried": 400,
                                     "at_most": False},
        "translation": [{"shift": 0.0, **interval(value), "decisions_changed": 0.0},
                        {"shift": 0.1, **interval(value - 0.2), "decisions_changed": None}],
        "stages": [
            {"n_stages": 1, "text": "conv 8 window 7", "receptive_field_ms": None,
             "receptive_field_samples": (3, 3), **interval(0.6)},
            {"n_stages": 2, "text": "conv 8 window <7>", "receptive_field_ms": 190.0,
             "receptive_field_samples": 19, **interval(value)},
        ],
        "concentration": {**interval(0.4), "n_signals": 16},
    }  # fmt: skip


def evidence() -> dict[str, Any]:
    return {
        "title": "Hearts <and> more", "metric": "auroc", "unit": "subjects", "target": 0.9, "target_stated": False,
        "match": "parameters", "rates": [0.01, 0.1], "n_seeds": 3, "test": {"n": 600, "n_subjects": 300},
        "networks": {"dense": network(0.85), "conv": network(0.95)},
        "verdict": [{"question": "Is one shown to be best?", "answer": "true",
                     "sentence": "In AUROC, conv is beaten by none."}],
        "removed": [
            {"name": "without gain low 0.8", "kind": "augmentation", "gain": {**interval(0.02), "clear": True},
             "ms_per_recording": 0.0123, "packages": ["numpy"], "contract_fields": 0},
            {"name": "without resample", "kind": "preparation", "gain": None, "ms_per_recording": None,
             "packages": ["numpy", "scipy"], "contract_fields": 1},
        ],
        "protocol": {"command": "vicinal compare hearts.toml", "expected_seconds": 60.0, "seconds": 71.2,
                     "split_hash": "ab" * 32, "pack_hash": "cd" * 32, "notes": ["Made up."]},
    }  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    signal = np.sin(np.arange(100) / 8)[None]
    maps = [Explained("rec1", "disease", signal, {"dense": signal, "conv": -signal})]
    return render_comparison(evidence(), maps)


def test_everything_is_on_one_page_that_asks_for_nothing(page: str) -> None:
    sections = re.findall(r'<section id="(\w+)">', page)
    assert sections == ["verdict", "table", "data", "cost", "shifts", "stages", "maps", "steps", "made"]
    assert "Hearts &lt;and&gt; more" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    for words in (
        "Is one shown to be best? Yes.", "In AUROC, conv is beaten by none.", "600 test rows of 300 subjects, 3 seeds",
        "0.01: 0.900, 0.1: –", "overfitting (2); broke off once", "190 ms", "3x3 positions", "it cannot be left out",
        "rec1: disease", "read off what they reach", "60 s and 71 s", "conv 8 window &lt;7&gt;", "over 400",
    ):  # fmt: skip
        assert words in page, words


def test_what_was_not_measured_has_no_section() -> None:
    less = evidence()
    less["removed"], less["verdict"] = [], []
    for one in less["networks"].values():
        one["translation"], one["curve"] = [], one["curve"][-1:]
    sections = re.findall(r'<section id="(\w+)">', render_comparison(less))
    assert sections == ["table", "cost", "stages", "made"]


def test_the_text_lies_beside_the_page(tmp_path: Path) -> None:
    write_comparison(tmp_path / "compare.html", evidence())
    text = (tmp_path / "compare.md").read_text()
    assert "In AUROC, conv is beaten by none." in text
    assert "<svg" not in text
    assert (tmp_path / "compare.html").read_text() == render_comparison(evidence())
