import functools
import re
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from vicinal.evidence.report.plots import (
    calibration_plot,
    decision_plot,
    histogram_plot,
    learning_plot,
    people_plot,
    precision_recall_plot,
    roc_plot,
    sweep_plot,
)


def rows(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.3).astype(float)
    return truth, 1 / (1 + np.exp(-rng.normal(2 * truth - 1, 1.0)))


def history(n: int) -> list[dict]:
    return [
        {
            "epoch": k,
            "training_loss": 1 / k,
            "validation": {"loss": 1.1 / k, "auroc": 1 - 0.5 / k},
            "best": k == 2,
        }
        for k in range(1, n + 1)
    ]


DRAWN = {
    "roc": lambda: roc_plot({"A": rows()}, {"A": 0.4}),
    "roc of three": lambda: roc_plot({name: rows(seed=k) for k, name in enumerate("ABC")}, {}),
    "precision-recall": lambda: precision_recall_plot({"A": rows()}, {"A": 0.4}),
    "calibration": lambda: calibration_plot({"A": rows()}),
    "histogram": lambda: histogram_plot("A", *rows(), threshold=0.4),
    "sweep": lambda: sweep_plot("A", *rows(), threshold=0.4, prevalence=0.05),
    "decision": lambda: decision_plot("A", *rows(), threshold=None),
    "decision in the field": lambda: decision_plot("B", *rows(), threshold=0.4, prevalence=0.05),
    "loss": lambda: learning_plot(history(5))[0],
    "metric": lambda: learning_plot(history(1))[1],
    "people": lambda: people_plot({"found": 46.4, "missed": 3.6}),
}


@functools.cache
def drawn(name: str) -> str:
    return DRAWN[name]()


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_is_one_small_element_the_same_every_time(name: str) -> None:
    svg = drawn(name)
    assert svg == DRAWN[name]()
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert "http" not in svg
    assert "<style" not in svg
    assert len(svg) < 60_000
    # `xlink` is known to HTML parsers without its declaration, which would look like an address.
    ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns:xlink="x" ', 1))


def test_ids_do_not_clash_between_plots_of_a_page() -> None:
    ids = [
        one
        for name in DRAWN
        if name != "roc of three"  # never beside the other ROC curve
        for one in set(re.findall(r'\bid="([^"]*)"', drawn(name)))
    ]
    assert ids
    assert len(ids) == len(set(ids))


def test_the_callers_matplotlib_settings_stay() -> None:
    before = dict(mpl.rcParams)
    roc_plot({"A": rows()}, {})
    assert dict(mpl.rcParams) == before


def test_names_are_text_not_markup() -> None:
    svg = histogram_plot("<b>$x^2$", *rows(), threshold=None)
    assert "<b>" not in svg
    assert "&lt;b&gt;$x^2$" in svg


def test_a_thousand_people_are_a_thousand_dots() -> None:
    svg = people_plot({"found": 46.4, "missed": 3.6, "referred": 0.0, "false_alarms": 159.7})
    dots = {name: path.count("M") for name, path in re.findall(r'class="(\w+)" d="([^"]*)"', svg)}
    # 46.4 + 3.6 + 159.7 = 209.7, told as 210: the largest remainders round up.
    assert dots == {"found": 46, "missed": 4, "false_alarms": 160, "rest": 790}


def test_without_a_metric_there_is_one_learning_curve() -> None:
    records = [{"epoch": 1, "training_loss": 0.5, "validation": {"loss": 0.6}}]
    assert learning_plot(records)[1] == ""
