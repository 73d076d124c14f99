"""The plots of a comparison as inline SVG: curves of several networks in one axes.

A network looks the same in every plot of a page, by colour and by mark. Where one plot cannot hold all networks, each
is drawn in one of several, on the same scales. Reads plain data, `compare.json`; must not know pages or files.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from vicinal.evidence.ladder.table import with_all
from vicinal.evidence.metric import in_words
from vicinal.evidence.report.drawing import INK, Drawing, legend_above

__all__ = [
    "cost_plot",
    "curves_plot",
    "decisions_plot",
    "gap_plot",
    "groups",
    "progress_plot",
    "shift_plot",
    "stages_plot",
    "styles_of",
]

_COLOURS = (
    "#332288", "#cc6677", "#117733", "#88ccee", "#882255", "#999933", "#44aa99", "#aa4499", "#ddcc77", INK,
)  # fmt: skip
"""The muted scheme of Paul Tol (Colour Schemes, 2021), which readers with any colour vision tell apart."""
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*")
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)))
_AT_ONCE = 8
"""Lines in one plot; beyond, nobody can tell them apart."""
_MOST_MARKS = 8
"""On a line of many points."""
_LONGEST_NAME = 42
_FEW_DECADES = 0.5
"""Of a scale by ratios: below, its ticks would be too few."""
_APART = 3.0
"""Points between the intervals of two networks at the same place, which would hide each other."""

Evidence = Mapping[str, Any]
Networks = Mapping[str, Any]
Points = list[tuple[float, float, tuple[float, float] | None]]
"""Where, what, and between which bounds."""


@dataclass(frozen=True)
class Style:
    """How a network is drawn: no two of 330 alike."""

    colour: str
    mark: str
    dash: Any


Styles = Mapping[str, Style]


def styles_of(names: Sequence[str]) -> dict[str, Style]:
    """Return how each network of a page is drawn."""
    n = len(_COLOURS)
    return {
        name: Style(_COLOURS[k % n], _MARKS[k % len(_MARKS)], _DASHES[k // n % len(_DASHES)])
        for k, name in enumerate(names)
    }


def groups(networks: Networks) -> Iterator[Networks]:
    """Yield networks, as many at once as one plot can hold."""
    names = list(networks)
    n_plots = -(-len(names) // _AT_ONCE)
    size = -(-len(names) // max(n_plots, 1))
    for start in range(0, len(names), max(size, 1)):
        yield {name: networks[name] for name in names[start : start + size]}


def curves_plot(
    networks: Networks, *, metric: str, unit: str, styles: Styles, shown: Collection[str] | None = None
) -> str:
    """Draw the metric of the test rows against the training subjects."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["curve"] if point["value"] is not None]
        return [(point["n_train_subjects"], point["value"], _bounds(point)) for point in known]

    return _lines("learning curves", networks, points, _over_subjects(networks, unit, metric), styles, shown)


def gap_plot(
    networks: Networks, *, metric: str, unit: str, styles: Styles, shown: Collection[str] | None = None
) -> str:
    """Draw training minus test metric against the training subjects."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["curve"] if point["gap"]["value"] is not None]
        return [(point["n_train_subjects"], point["gap"]["value"], _bounds(point["gap"])) for point in known]

    dress = _over_subjects(networks, unit, f"training minus test {metric}")
    return _lines("overfitting", networks, points, dress, styles, shown)


def shift_plot(
    networks: Networks, *, metric: str, styles: Styles, shown: Collection[str] | None = None
) -> str:
    """Draw the metric against how far the test signals were moved."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["translation"] if point["value"] is not None]
        return [(100 * point["shift"], point["value"], _bounds(point)) for point in known]

    dress = _named("shift (% of the length)", metric)
    return _lines("shifted signals", networks, points, dress, styles, shown)


def decisions_plot(networks: Networks, *, styles: Styles, shown: Collection[str] | None = None) -> str:
    """Draw the share of decisions that change against how far the test signals were moved."""

    def points(one: Evidence) -> Points:
        known = [point for point in one["translation"] if point["decisions_changed"] is not None]
        return [(100 * point["shift"], 100 * point["decisions_changed"], None) for point in known]

    dress = _named("shift (% of the length)", "decisions that change (%)")
    return _lines("decisions that change", networks, points, dress, styles, shown)


def stages_plot(
    networks: Networks, *, metric: str, styles: Styles, shown: Collection[str] | None = None
) -> str:
    """Draw the metric against the number of stages that were left, and trained."""

    def points(one: Evidence) -> Points:
        known = [stage for stage in one["stages"] if stage.get("value") is not None]
        return [(stage["n_stages"], stage["value"], _bounds(stage)) for stage in known]

    return _lines("stages", networks, points, _over_stages(networks, metric), styles, shown)


def progress_plot(
    networks: Networks, *, select: str, styles: Styles, shown: Collection[str] | None = None
) -> str:
    """Draw the validation metric against the seconds of training, a line a network: its first seed."""

    def points(one: Evidence) -> Points:
        history = (one["history"] or [[]])[0]
        return [(seconds, value, None) for seconds, _, value in history if value is not None]

    dress = _named("seconds", f"validation {in_words(select)}")
    return _lines("training", networks, points, dress, styles, shown)


def cost_plot(networks: Networks, *, metric: str, styles: Styles) -> str:
    """Draw the metric against recordings scored a second: the upper right is better in both."""

    def points(one: Evidence) -> Points:
        last = with_all(one)
        if last is None or not one["infer_per_second"]:
            return []
        return [(one["infer_per_second"]["median"], last["value"], _bounds(last))]

    def dress(axes: Axes) -> None:
        speeds = [points(one)[0][0] for one in networks.values() if points(one)]
        _ratio_scale(axes, speeds)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set(xlabel="recordings scored a second", ylabel=metric)

    return _lines("metric against speed", networks, points, dress, styles)


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


def _ratio_scale(axes: Axes, values: Sequence[float]) -> None:
    """Scale the x axis by ratios where values lie far apart, with ticks close enough to read off a value."""
    n_decades = math.log10(max(values) / min(values)) if values and min(values) > 0 else 0
    if n_decades < _FEW_DECADES:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        return
    axes.set_xscale("log")
    between = (1, 2, 5) if n_decades < 1.5 else (1, 3) if n_decades < 2.5 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=between))
    axes.minorticks_off()


def _lines(
    name: str,
    networks: Networks,
    points: Callable[[Evidence], Points],
    dress: Callable[[Axes], object],
    styles: Styles,
    shown: Collection[str] | None = None,
) -> str:
    """Draw one line a network, with an interval at each point that has one; networks stand side by side at each x.

    Args:    shown: networks that are drawn, all by default; scales are those of all.
    """
    names = [label for label in networks if shown is None or label in shown]
    with Drawing(name) as drawing:
        axes = drawing.axes
        for label, one in networks.items():
            _line(axes, points(one), styles[label], label)
        dress(axes)
        _hold_scales(axes)
        for artist in [*axes.lines, *axes.collections]:
            artist.remove()
        for k, label in enumerate(names):
            found = points(networks[label])
            drawn = _line(axes, found, styles[label], label)
            apart = _APART if any(bounds for *_, bounds in found) else 0
            aside = (k - (len(names) - 1) / 2) * apart / 72
            # Moved once the axes know where they are.
            for artist in drawn:
                artist.set_transform(
                    axes.transData + ScaledTranslation(aside, 0, axes.figure.dpi_scale_trans)
                )
        _legend(axes)
    return drawing.svg


def _line(axes: Axes, found: Points, style: Style, label: str) -> list[Artist]:
    """Draw one network: its line, marks on at most a few of its points, and its intervals."""
    if not found:
        return []
    x, y = [at for at, _, _ in found], [value for _, value, _ in found]
    drawn: list[Artist] = [
        *axes.plot(
            x, y, color=style.colour, linestyle=style.dash, marker=style.mark, markersize=4.5,
            markevery=max(len(x) // _MOST_MARKS, 1), label=_short(label),
        )
    ]  # fmt: skip
    for at, _, bounds in found:
        if bounds is not None:
            drawn.append(axes.vlines(at, *bounds, color=style.colour, alpha=0.45, linewidth=1.4))
    return drawn


def _hold_scales(axes: Axes) -> None:
    """Keep the scales as they are, whatever is drawn from now on."""
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())


def _legend(axes: Axes) -> None:
    """Put the legend over the axes, in as many columns as its longest name allows."""
    names = axes.get_legend_handles_labels()[1]
    if names:
        longest = max(map(len, names))
        n_columns = 3 if longest <= 14 else 2 if longest <= 22 else 1
        legend_above(axes, n_columns=n_columns, box=(0.15, 0.13, 0.83, 0.85), row=0.055)


def _short(name: str) -> str:
    """Return a name that fits over the axes: the start and the end of a long one."""
    half = _LONGEST_NAME // 2 - 1
    return name if len(name) <= _LONGEST_NAME else f"{name[:half].rstrip()} … {name[-half:].lstrip()}"


def _bounds(one: Evidence) -> tuple[float, float] | None:
    return None if one["low"] is None else (one["low"], one["high"])
