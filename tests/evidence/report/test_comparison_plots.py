import re
from typing import Any

import pytest

from vicinal.evidence.report.comparison_plots import (
    _short,
    cost_plot,
    curves_plot,
    decisions_plot,
    gap_plot,
    groups,
    progress_plot,
    shift_plot,
    stages_plot,
    styles_of,
)


def network(value: float | None = 0.9) -> dict[str, Any]:
    known = {"value": value, "low": None if value is None else value - 0.1, "high": value}
    return {
        "curve": [{"n_train_subjects": n, "share": n / 200, **known, "gap": known} for n in (20, 200)],
        "translation": [{"shift": shift, **known, "decisions_changed": 0.2} for shift in (0.0, 0.1, 0.5)],
        "stages": [
            {"n_stages": 1, "receptive_field_samples": 7, **known},
            {"n_stages": 2, "receptive_field_samples": (19, 19)},
        ],
        "history": [[[1.0, 5, 0.5], [2.0, 10, None], [3.0, 15, 0.8]]],
        "infer_per_second": {"median": 1000.0},
    }


def drawn(networks: dict[str, Any], **shown: Any) -> dict[str, str]:
    styles = styles_of(list(networks))
    return {
        "curves": curves_plot(networks, metric="AUROC", unit="subjects", styles=styles, **shown),
        "gap": gap_plot(networks, metric="AUROC", unit="subjects", styles=styles, **shown),
        "shift": shift_plot(networks, metric="AUROC", styles=styles, **shown),
        "decisions": decisions_plot(networks, styles=styles, **shown),
        "stages": stages_plot(networks, metric="AUROC", styles=styles, **shown),
        "progress": progress_plot(networks, select="auroc", styles=styles, **shown),
        "cost": cost_plot(networks, metric="AUROC", styles=styles),
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
    made = drawn({"dense": network(), "lstm": network(None)})
    assert ">dense<" in made["shift"]
    assert ">lstm<" not in made["shift"]
    assert drawn({"lstm": network(None)})["curves"].startswith("<svg")


def test_intervals_stand_beside_the_points_that_have_them() -> None:
    def n_lines(svg: str) -> int:
        return len(re.findall("stroke-opacity: 0.45", svg))

    made = drawn({"dense": network()})
    assert n_lines(made["curves"]) == 2
    assert n_lines(made["decisions"]) == 0


def test_intervals_of_several_networks_do_not_hide_each_other() -> None:
    svg = drawn({name: network() for name in ("dense", "local", "conv")})["curves"]
    found = re.findall(r'M ([\d.]+) [\d.]+\nL \1 [\d.]+\n"[^>]*stroke-opacity: 0.45', svg)
    places = sorted({round(float(x), 1) for x in found})
    assert len(places) == 6
    assert places[1] - places[0] == pytest.approx(3, abs=0.11)


def test_a_network_that_broke_off_with_all_subjects_has_no_place_among_those_that_did_not() -> None:
    broken = network(0.2)
    broken["curve"] = broken["curve"][:1]
    svg = drawn({"dense": network(), "lstm": broken})["cost"]
    assert ">dense<" in svg
    assert ">lstm<" not in svg


def marks(svg: str) -> list[str]:
    """Return the numbers along both axes, and where they stand."""
    return re.findall(r"<text[^>]*>[-\d.,−]+</text>", svg)


def test_parts_of_one_figure_have_one_scale() -> None:
    networks = {"dense": network(0.3), "conv": network(0.95), "lstm": network(0.9)}
    first, second = drawn(networks, shown=["dense"]), drawn(networks, shown=["conv", "lstm"])
    for name in ("curves", "gap", "shift", "decisions", "stages", "progress"):
        assert marks(first[name]) == marks(second[name]), name
        assert len(marks(first[name])) > 5, name
        assert (">dense<" in first[name], ">conv<" in first[name]) == (True, False)
        assert (">dense<" in second[name], ">conv<" in second[name]) == (False, True)
    assert marks(drawn({"dense": networks["dense"]})["curves"]) != marks(first["curves"])


def test_a_network_looks_the_same_in_every_plot_and_like_no_other() -> None:
    names = [f"network {k}" for k in range(24)]
    styles = styles_of(names)
    assert len({(one.colour, one.mark, str(one.dash)) for one in styles.values()}) == 24
    assert len({one.colour for one in list(styles.values())[:10]}) == 10
    assert len({(one.colour, str(one.dash)) for one in styles.values()}) == 24
    networks = {"dense": network(), "conv": network(), "lstm": network()}
    for name, svg in drawn(networks).items():
        alone = cost_plot if name == "cost" else None
        assert styles_of(list(networks))["lstm"].colour in svg, name
        if alone is None:
            part = drawn(networks, shown=["lstm"])[name]
            assert styles_of(list(networks))["lstm"].colour in part, name
            assert styles_of(list(networks))["dense"].colour not in part, name


@pytest.mark.parametrize(
    ("speeds", "ticks"),
    [
        ((1000.0, 1000.0), {"960", "990", "1,020"}),
        ((1200.0, 1900.0), {"1,200", "1,600"}),
        ((2500.0, 30000.0), {"5,000", "10,000", "20,000"}),
        ((1000.0, 130000.0), {"1,000", "3,000", "10,000", "100,000"}),
        ((100.0, 1e6), {"100", "1,000", "10,000"}),
    ],
)
def test_speed_has_numbers_to_read_it_off_by(speeds: tuple[float, float], ticks: set[str]) -> None:
    networks = {str(k): {**network(), "infer_per_second": {"median": one}} for k, one in enumerate(speeds)}
    svg = cost_plot(networks, metric="AUROC", styles=styles_of(list(networks)))
    assert ticks <= set(re.findall(r">([\d,]+)<", svg))


def test_no_plot_holds_more_than_can_be_told_apart() -> None:
    names = {f"network {k}": k for k in range(10)}
    assert [list(some) for some in groups(names)] == [list(names)[:5], list(names)[5:]]
    assert [len(some) for some in groups({"a": 1})] == [1]
    assert list(groups({})) == []


def test_long_names_stand_below_each_other_and_keep_start_and_end() -> None:
    texts = [f"conv {n} window 20 stride 2 same | norm | relu | mean | dense {n}" for n in (8, 16)]
    assert [_short(one) for one in texts] == [
        "conv 8 window 20 str … elu | mean | dense 8",
        "conv 16 window 20 st … lu | mean | dense 16",
    ]
    assert _short("conv@16, learning_rate 0.001") == "conv@16, learning_rate 0.001"
    svg = drawn({text: network() for text in texts})["curves"]
    places = [
        re.search(rf'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>{re.escape(_short(one))}<', svg)
        for one in texts
    ]
    first, second = (found.groups() for found in places if found is not None)
    assert first[0] == second[0]
    assert float(second[1]) - float(first[1]) > 9
