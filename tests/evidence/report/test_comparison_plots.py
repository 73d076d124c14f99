import re
from typing import Any

import pytest

from vicinal.evidence.report.comparison_plots import (
    cost_plot,
    curves_plot,
    decisions_plot,
    gap_plot,
    groups,
    progress_plot,
    shift_plot,
    sight_plot,
    stages_plot,
)


def network(value: float | None = 0.9) -> dict[str, Any]:
    known = {"value": value, "low": None if value is None else value - 0.1, "high": value}
    return {
        "curve": [{"n_train_subjects": n, **known, "gap": known} for n in (20, 200)],
        "translation": [{"shift": shift, **known, "decisions_changed": 0.2} for shift in (0.0, 0.1, 0.5)],
        "stages": [
            {"n_stages": 1, "receptive_field_samples": 7, **known},
            {"n_stages": 2, "receptive_field_samples": (19, 19)},
        ],
        "history": [[[1.0, 5, 0.5], [2.0, 10, None], [3.0, 15, 0.8]]],
        "infer_per_second": {"median": 1000.0},
    }


def drawn(networks: dict[str, Any]) -> dict[str, str]:
    return {
        "curves": curves_plot(networks, metric="AUROC", unit="subjects"),
        "gap": gap_plot(networks, metric="AUROC", unit="subjects"),
        "shift": shift_plot(networks, metric="AUROC"),
        "decisions": decisions_plot(networks),
        "stages": stages_plot(networks, metric="AUROC"),
        "sight": sight_plot(networks),
        "progress": progress_plot(networks, select="auroc"),
        "cost": cost_plot(networks, metric="AUROC"),
    }


def test_each_network_is_named_in_each_plot_and_bytes_are_the_same_again() -> None:
    networks = {"dense": network(), "conv": network(0.95)}
    first = drawn(networks)
    assert first == drawn(networks)
    for name, svg in first.items():
        assert ">dense<" in svg, name
        assert ">conv<" in svg, name
        assert "mathdefault" not in svg, name
    assert ">20<" in first["curves"]
    assert ">200<" in first["curves"]
    assert "training minus test AUROC" in first["gap"]


def test_what_is_not_known_is_not_drawn() -> None:
    svg = shift_plot({"dense": network(), "lstm": network(None)}, metric="AUROC")
    assert ">dense<" in svg
    assert ">lstm<" not in svg
    assert curves_plot({"lstm": network(None)}, metric="AUROC", unit="subjects").startswith("<svg")


def test_intervals_stand_beside_the_points_that_have_them() -> None:
    def n_lines(svg: str) -> int:
        return len(re.findall("stroke-opacity: 0.45", svg))

    assert n_lines(curves_plot({"dense": network()}, metric="AUROC", unit="subjects")) == 2
    assert n_lines(decisions_plot({"dense": network()})) == 0


def test_intervals_of_several_networks_do_not_hide_each_other() -> None:
    svg = curves_plot(
        {name: network() for name in ("dense", "local", "conv")}, metric="AUROC", unit="subjects"
    )
    found = re.findall(r'M ([\d.]+) [\d.]+\nL \1 [\d.]+\n"[^>]*stroke-opacity: 0.45', svg)
    places = sorted({round(float(x), 1) for x in found})
    assert len(places) == 6
    assert places[1] - places[0] == pytest.approx(3, abs=0.11)


def test_no_plot_holds_more_than_can_be_told_apart() -> None:
    names = {f"network {k}": k for k in range(10)}
    assert [list(some) for some in groups(names)] == [list(names)[:5], list(names)[5:]]
    assert [len(some) for some in groups({"a": 1})] == [1]
    assert list(groups({})) == []
