"""The plots of a comparison as inline SVG: curves of several networks in one axes.

Reads plain data, `compare.json`; must not know pages or files.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from vicinal.evidence.metric import in_words
from vicinal.evidence.report.drawing import CYCLE, Drawing, legend_above

__all__ = [
    "cost_plot",
    "curves_plot",
    "decisions_plot",
    "gap_plot",
    "groups",
    "progress_plot",
    "shift_plot",
    "sight_plot",
    "stages_plot",
]

_COLOURS = (*CYCLE, "#c27ba0", "#8a9a3b", "#2f4b8f", "#d08a5c")
_AT_ONCE = len(CYCLE)
"""Lines in one plot; beyond, nobody can tell them apart."""
_APART = 3.0
"""Points between the intervals of two networks at the same place, which would hide each other."""

Evidence = Mapping[str, Any]
Networks = Mapping[str, Any]
Points = list[tuple[float, float, tuple[float, float] | None]]
"""Where, what, and between which bounds."""


def groups(networks: Networks) -> Iterator[Networks]:
    """Yield networks, as many at once as one plot can hold."""
    names = list(networks)
    n_plots = -(-len(names) // _AT_ONCE)
    size = -(-len(names) // max(n_plots, 1))
    for start in range(0, len(names), max(size, 1)):
        yield {name: networks[name] for name in names[start : start + size]}


def curves_plot(networks: Networks, *, metric: str, unit: str) -> str:
    """Draw the metric of the test rows against the training subjects."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["curve"] if point["value"] is not None]
        return [(point["n_train_subjects"], point["value"], _bounds(point)) for point in known]

    return _lines("learning curves", networks, points, _over_subjects(networks, unit, metric))


def gap_plot(networks: Networks, *, metric: str, unit: str) -> str:
    """Draw training minus test metric against the training subjects."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["curve"] if point["gap"]["value"] is not None]
        return [(point["n_train_subjects"], point["gap"]["value"], _bounds(point["gap"])) for point in known]

    return _lines(
        "overfitting", networks, points, _over_subjects(networks, unit, f"training minus test {metric}")
    )


def shift_plot(networks: Networks, *, metric: str) -> str:
    """Draw the metric against how far the test signals were moved."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["translation"] if point["value"] is not None]
        return [(100 * point["shift"], point["value"], _bounds(point)) for point in known]

    return _lines("shifted signals", networks, points, _named("shift (% of the length)", metric))


def decisions_plot(networks: Networks) -> str:
    """Draw the share of decisions that change against how far the test signals were moved."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["translation"] if point["decisions_changed"] is not None]
        return [(100 * point["shift"], 100 * point["decisions_changed"], None) for point in known]

    return _lines(
        "decisions that change",
        networks,
        points,
        _named("shift (% of the length)", "decisions that change (%)"),
    )


def stages_plot(networks: Networks, *, metric: str) -> str:
    """Draw the metric against the number of stages that were left, and trained."""

    def points(one: Evidence) -> Points:
        known = [stage for stage in one["stages"] if stage.get("value") is not None]
        return [(stage["n_stages"], stage["value"], _bounds(stage)) for stage in known]

    return _lines("stages", networks, points, _over_stages(networks, metric))


def sight_plot(networks: Networks) -> str:
    """Draw how much of the signal one unit sees, along its first axis, against the stage that it stands in."""

    def points(one: Evidence) -> Points:
        fields = [(stage["n_stages"], stage["receptive_field_samples"]) for stage in one["stages"]]
        return [(n, field if isinstance(field, int) else field[0], None) for n, field in fields]

    return _lines(
        "receptive fields", networks, points, _over_stages(networks, "positions that one unit sees")
    )


def progress_plot(networks: Networks, *, select: str) -> str:
    """Draw the validation metric against the seconds of training, a line a network: its first seed."""

    def points(one: Evidence) -> Points:
        history = (one["history"] or [[]])[0]
        return [(seconds, value, None) for seconds, _, value in history if value is not None]

    return _lines(
        "training", networks, points, _named("seconds", f"validation {in_words(select)}"), marker=""
    )


def cost_plot(networks: Networks, *, metric: str) -> str:
    """Draw the metric against recordings scored a second: the upper right is better in both."""

    def points(one: Evidence) -> Points:
        if not one["curve"] or not one["infer_per_second"]:
            return []
        last = one["curve"][-1]
        return [(one["infer_per_second"]["median"], last["value"], _bounds(last))]

    def dress(axes: Axes) -> None:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.minorticks_off()
        axes.set(xlabel="recordings scored a second", ylabel=metric)

    return _lines("metric against speed", networks, points, dress)


def _named(x: str, y: str) -> Callable[[Axes], object]:
    return lambda axes: axes.set(xlabel=x, ylabel=y)


def _over_subjects(networks: Networks, unit: str, y: str) -> Callable[[Axes], object]:
    def dress(axes: Axes) -> None:
        sizes = sorted({point["n_train_subjects"] for one in networks.values() for point in one["curve"]})
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel=f"training {unit}", ylabel=y)

    return dress


def _over_stages(networks: Networks, y: str) -> Callable[[Axes], object]:
    def dress(axes: Axes) -> None:
        most = max((len(one["stages"]) for one in networks.values()), default=1)
        axes.set_xticks(range(1, most + 1))
        axes.set(xlabel="stages", ylabel=y)

    return dress


def _lines(
    name: str,
    networks: Networks,
    points: Callable[[Evidence], Points],
    dress: Callable[[Axes], object],
    *,
    marker: str = "o",
) -> str:
    """Draw one line a network, with an interval at each point that has one; networks stand side by side at each x."""
    with Drawing(name) as drawing:
        axes = drawing.axes
        middle = (len(networks) - 1) / 2
        for k, (colour, (label, one)) in enumerate(zip(_COLOURS, networks.items(), strict=False)):
            found = points(one)
            if not found:
                continue
            x, y = [at for at, _, _ in found], [value for _, value, _ in found]
            apart = _APART if any(bounds for *_, bounds in found) else 0
            aside = ScaledTranslation(apart * (k - middle) / 72, 0, axes.figure.dpi_scale_trans)
            beside = axes.transData + aside
            drawn: list[Artist] = [*axes.plot(x, y, color=colour, marker=marker, markersize=4, label=label)]
            for at, _, bounds in found:
                if bounds is not None:
                    drawn.append(axes.vlines(at, *bounds, color=colour, alpha=0.45, linewidth=1.4))
            # Moved once the axes know where they are.
            for artist in drawn:
                artist.set_transform(beside)
        dress(axes)
        _legend(axes)
    return drawing.svg


def _legend(axes: Axes) -> None:
    """Put the legend over the axes, in as many columns as its longest name allows."""
    names = axes.get_legend_handles_labels()[1]
    if names:
        n_columns = 2 if max(map(len, names)) > 14 else 3
        legend_above(axes, n_columns=n_columns, box=(0.15, 0.13, 0.83, 0.85), row=0.055)


def _bounds(one: Evidence) -> tuple[float, float] | None:
    return None if one["low"] is None else (one["low"], one["high"])
