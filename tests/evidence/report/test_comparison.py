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
        {
            "n_train_subjects": n,
            "share": n / 400,
            **interval(value - less),
            "gap": interval(less),
            "train": value,
        }
        for n, less in ((40, 0.1), (400, 0.0))
    ]
    return {
        "match": "width 8: 1,000 parameters, 1 times the reference's 1,000",
        "parameters": 1000, "multiply_adds": 9000, "activation_bytes": 4000,
        "learning_rate": 0.01, "rates_tried": {"0.01": 0.9, "0.1": None},
        "train_seconds": timed, "step_ms": timed, "infer_per_second": timed,
        "seconds_to_target": {"median": 1.5, "least": 1.0, "most": 2.0, "n_reached": 2, "n_seeds": 3},
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
             "needed": None, "ms_per_recording": 0.0123, "packages": ["numpy"], "contract_fields": 0},
            {"name": "without resample", "kind": "preparation", "gain": None, "needed": "it has 250 Hz.",
             "ms_per_recording": None,             "packages": ["numpy", "scipy"], "contract_fields": 1},
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
    assert "<code>compare.md</code> and <code>compare.json</code>" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    for words in (
        "Is one shown to be best? Yes.", "In AUROC, conv is beaten by none.", "600 test rows of 300 subjects, 3 seeds",
        "0.01: 0.900, 0.1: –", "overfitting (2); broke off once", "19 samples, 190 ms", "3x3 positions",
        "cannot be left out",
        "resample: it has 250 Hz.", "1.50 (2 of 3)",
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
    lines = text.splitlines()
    # Every size and every shift stand there, not only those of the verdict's table.
    assert "| network | 40 subjects | 400 subjects |" in lines
    assert "| conv | 0.850 (0.840 to 0.860) | 0.950 (0.940 to 0.960) |" in lines
    assert "| conv | +0.100 (+0.090 to +0.110) | +0.000 (-0.010 to +0.010) |" in lines
    assert lines.count("| network | 0 % | 10 % |") == 2
    assert "| dense | 0.850 (0.840 to 0.860) | 0.650 (0.640 to 0.660) |" in lines
    assert "| dense | 0 % |  |" in lines
    assert (tmp_path / "compare.html").read_text() == render_comparison(evidence())


def test_many_sizes_and_shifts_stand_in_tables_that_a_page_can_hold() -> None:
    many = evidence()
    shifts = (0.0, 0.05, 0.1, 0.2, 0.3)
    for k, one in enumerate(many["networks"].values()):
        one["translation"] = [
            {"shift": shift, **interval(0.9 - shift), "decisions_changed": shift} for shift in shifts
        ][: 5 - k]
    page = render_comparison(many)
    heads = [
        re.findall(r"<th[^>]*>([^<]*)</th>", table) for table in re.findall(r"<table>.*?</table>", page, re.S)
    ]
    assert ["network", "0 %", "5 %", "10 %", "20 %"] in heads
    assert ["network", "30 %"] in heads
    assert ["network", "0 %", "5 %", "10 %", "20 %", "30 %"] in heads
    (last,) = (
        table
        for table in re.findall(r"<table>.*?</table>", page, re.S)
        if '<th>network</th><th class="n">30 %' in table
    )
    assert re.findall(r"<td[^>]*>([^<]*)</td>", last) == ["dense", "0.600 (0.590 to 0.610)", "conv", ""]


def test_plots_name_every_network_and_hold_one_that_broke_off_to_where_it_got() -> None:
    some = evidence()
    some["networks"] |= {f"network {k}": network(0.5 + 0.04 * k) for k in range(8)}
    some["networks"]["conv"]["curve"] = some["networks"]["conv"]["curve"][:1]
    page = render_comparison(some)
    plots = re.findall(r'<svg class="plot"[^>]*aria-label="([^"]*)">(.*?)</svg>', page, re.S)
    speed = next(svg for name, svg in plots if name == "metric against speed")
    assert ">dense<" in speed
    assert ">conv<" not in speed
    curves = [svg for name, svg in plots if name == "learning curves"]
    assert len(curves) == 2
    assert [len(re.findall(r">(dense|conv|network \d)<", svg)) for svg in curves] == [5, 5]
