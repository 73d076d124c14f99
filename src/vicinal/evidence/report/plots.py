"""The plots of a report as inline SVG: same input, same bytes; text stays text.

Arrays in, SVG text out, drawn with matplotlib without its global state. Must not know pages or files.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vicinal.decisions.thresholds import shift_prevalence
from vicinal.evidence.curves import calibration_points, net_benefit, precision_recall, roc, threshold_sweep
from vicinal.evidence.report.drawing import (
    BLUE,
    CYCLE,
    GOLD,
    GREEN,
    GREY,
    INK,
    MUTED,
    RED,
    Drawing,
    legend_above,
)

__all__ = [
    "calibration_plot",
    "decision_plot",
    "histogram_plot",
    "learning_curves_plot",
    "learning_plot",
    "people_plot",
    "precision_recall_plot",
    "robustness_plot",
    "roc_plot",
    "sweep_plot",
]

Rows = Float64[np.ndarray, " n"]
ByClass = Mapping[str, tuple[Rows, Rows]]
"""For each class: truth (0 or 1) and probability of the rows where the truth is known."""


def _unit_square(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y)
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)


def _legend_above(axes: Axes) -> None:
    """Put the legend over the axes, in as many columns as its longest name allows."""
    names = axes.get_legend_handles_labels()[1]
    if names:
        legend_above(axes, n_columns=3 if max(map(len, names)) <= 24 // min(3, len(names)) + 8 else 1)


def learning_plot(history: Sequence[Mapping[str, Any]], *, select: str | None = None) -> tuple[str, str]:
    """Draw loss, and the metric that selected the epoch, against epochs.

    Args:    history: records of epochs as the monitor keeps them: epoch, training_loss, validation {name:
             value}, best.  select: the validation metric to draw; the first that is no loss when not given.
    Returns: two SVGs, the second empty without such a metric.
    """
    epochs = [record["epoch"] for record in history]
    best = [record["epoch"] for record in history if record.get("best")][-1:]
    names = [name for name in (history[0]["validation"] if history else {}) if name != "loss"]
    metric = select if select in names else (names[0] if names else None)
    with Drawing("learning curve, loss") as losses:
        axes = losses.axes
        axes.plot(epochs, [record["training_loss"] for record in history], color=BLUE, label="training")
        if history and "loss" in history[0]["validation"]:
            values = [record["validation"].get("loss", np.nan) for record in history]
            axes.plot(epochs, values, color=RED, label="validation")
        axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
        _mark_epoch(axes, best)
        _legend_above(axes)
    if metric is None:
        return losses.svg, ""
    with Drawing("learning curve, metric") as measured:
        axes = measured.axes
        axes.plot(epochs, [record["validation"].get(metric, np.nan) for record in history], color=GREEN)
        axes.set(xlabel="epoch", ylabel=f"validation {metric}")
        _mark_epoch(axes, best)
    return losses.svg, measured.svg


def _mark_epoch(axes: Axes, best: Sequence[int]) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for epoch in best:
        axes.axvline(epoch, color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        right = epoch > np.mean(axes.get_xlim())
        axes.annotate(
            "kept",
            (epoch, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            color=MUTED,
            fontsize=8.5,
        )


def roc_plot(by_class: ByClass, thresholds: Mapping[str, float]) -> str:
    """Draw sensitivity against the false alarm rate, with the chosen point of each class that has one."""
    with Drawing("ROC curve") as drawing:
        axes = drawing.axes
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        for colour, (name, (truth, probability)) in zip(_colours(by_class), by_class.items(), strict=True):
            curve = roc(truth, probability)
            label = name if len(by_class) > 1 else None
            axes.plot(curve.false_alarm_rate, curve.sensitivity, color=colour, label=label)
            if len(by_class) == 1:
                axes.fill_between(
                    curve.false_alarm_rate, curve.sensitivity, color=colour, alpha=0.07, linewidth=0
                )
            if name in thresholds:
                called = probability >= thresholds[name]
                point = (float(called[truth == 0].mean()), float(called[truth == 1].mean()))
                _point(axes, point, f"threshold {thresholds[name]:.3f}" if len(by_class) == 1 else "")
        _unit_square(axes, "false alarm rate (1 − specificity)", "sensitivity")
        _legend_above(axes)
    return drawing.svg


def precision_recall_plot(by_class: ByClass, thresholds: Mapping[str, float]) -> str:
    """Draw PPV against sensitivity on these rows; the dashed line is the share of positives."""
    with Drawing("precision-recall curve") as drawing:
        axes = drawing.axes
        for colour, (name, (truth, probability)) in zip(_colours(by_class), by_class.items(), strict=True):
            curve = precision_recall(truth, probability)
            label = name if len(by_class) > 1 else None
            axes.plot(curve.sensitivity, curve.ppv, color=colour, label=label)
            if len(by_class) == 1:
                axes.axhline(curve.baseline, color=GREY, linewidth=1, linestyle=(0, (3, 2)))
            called = probability >= thresholds.get(name, np.inf)
            if called.any():
                point = (float(called[truth == 1].mean()), float(truth[called].mean()))
                _point(axes, point, f"threshold {thresholds[name]:.3f}" if len(by_class) == 1 else "")
        _unit_square(axes, "sensitivity (recall)", "PPV (precision) on these rows")
        _legend_above(axes)
    return drawing.svg


def _point(axes: Axes, point: tuple[float, float], text: str) -> None:
    axes.plot(*point, "o", color=INK, markersize=6, markeredgecolor="white", markeredgewidth=1.2, zorder=5)
    left = point[0] > 0.6
    axes.annotate(
        text,
        point,
        xytext=(-7 if left else 8, -12),
        textcoords="offset points",
        ha="right" if left else "left",
        fontsize=8.5,
        color=INK,
    )


def calibration_plot(by_class: ByClass, *, n_bins: int = 10) -> str:
    """Draw observed share against probability, in bins of equally many rows; a larger dot holds more rows."""
    with Drawing("calibration") as drawing:
        axes = drawing.axes
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        for colour, (name, (truth, probability)) in zip(_colours(by_class), by_class.items(), strict=True):
            bins = calibration_points(truth, probability, n_bins=n_bins, equal_mass=True)
            # The normal interval of a share, held within 0 to 1: a guide to the eye, not a claim.
            spread = 1.96 * np.sqrt(np.maximum(bins.observed * (1 - bins.observed), 0.25 / bins.n) / bins.n)
            low, high = np.maximum(bins.observed - spread, 0), np.minimum(bins.observed + spread, 1)
            if len(by_class) == 1:
                axes.vlines(bins.probability, low, high, color=colour, alpha=0.35, linewidth=1.4)
            axes.plot(bins.probability, bins.observed, color=colour, linewidth=1.2)
            size = 26 * np.sqrt(bins.n / bins.n.max())
            label = name if len(by_class) > 1 else None
            axes.scatter(
                bins.probability,
                bins.observed,
                s=size,
                color=colour,
                label=label,
                zorder=4,
                edgecolor="white",
            )
        _unit_square(axes, "probability given", "share that had it")
        _legend_above(axes)
    return drawing.svg


def histogram_plot(
    name: str,
    truth: Rows,
    probability: Rows,
    *,
    threshold: float | None,
    refer: tuple[float, float] | None = None,
) -> str:
    """Draw how the probabilities of both kinds of rows spread, where the threshold cuts them, and the refer band."""
    with Drawing(f"probabilities, {name}") as drawing:
        axes = drawing.axes
        edges = np.linspace(0, 1, 26)
        positive, negative = probability[truth == 1], probability[truth == 0]
        counts = {"with": np.histogram(positive, edges)[0], "without": np.histogram(negative, edges)[0]}
        axes.bar(edges[:-1], counts["with"], 0.04, align="edge", color=RED, alpha=0.85, label=name)
        others = f"not {name}"
        axes.bar(edges[:-1], -counts["without"], 0.04, align="edge", color=BLUE, alpha=0.85, label=others)
        axes.axhline(0, color="white", linewidth=1.2)
        top = max(1, counts["with"].max(), counts["without"].max())
        axes.set(xlim=(0, 1), ylim=(-1.08 * top, 1.08 * top), xlabel=f"probability of {name}", ylabel="rows")
        axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
        _refer_band(axes, refer)
        _threshold_line(axes, threshold)
        _legend_above(axes)
    return drawing.svg


def sweep_plot(
    name: str,
    truth: Rows,
    probability: Rows,
    *,
    threshold: float | None,
    prevalence: float | None,
    refer: tuple[float, float] | None = None,
) -> str:
    """Draw sensitivity, specificity and PPV at every threshold, PPV at the field's prevalence if stated."""
    with Drawing(f"threshold sweep, {name}") as drawing:
        axes = drawing.axes
        sweep = threshold_sweep(truth, probability, thresholds=np.linspace(0, 1, 201), prevalence=prevalence)
        axes.plot(sweep.thresholds, sweep.sensitivity, color=RED, label="sensitivity")
        axes.plot(sweep.thresholds, sweep.specificity, color=BLUE, label="specificity")
        at = "" if prevalence is None else f" at prevalence {prevalence:.3g}"
        axes.plot(sweep.thresholds, sweep.ppv, color=GOLD, label=f"PPV{at}")
        _unit_square(axes, "threshold", "share")
        _refer_band(axes, refer)
        _threshold_line(axes, threshold)
        _legend_above(axes)
    return drawing.svg


def decision_plot(
    name: str, truth: Rows, probability: Rows, *, threshold: float | None, prevalence: float | None = None
) -> str:
    """Draw the net benefit of the model against alarming for everybody and for nobody, in the field if stated."""
    with Drawing(f"decision curve, {name}") as drawing:
        axes = drawing.axes
        curve = net_benefit(truth, probability, prevalence=prevalence)
        axes.plot(curve.thresholds, curve.treat_all, color=GREY, linewidth=1.3, label="alarm for all")
        axes.plot(curve.thresholds, curve.treat_none, color=INK, linewidth=1.0, label="for nobody")
        axes.plot(curve.thresholds, curve.model, color=GREEN, label="by the model")
        top = max(float(truth.mean()) if prevalence is None else prevalence, 1e-3)
        at = "" if prevalence is None else f", of probabilities at prevalence {prevalence:.3g}"
        axes.set(xlim=(0, 1), ylim=(-0.2 * top, 1.08 * top), xlabel=f"threshold{at}", ylabel="net benefit")
        if threshold is not None and prevalence is not None:
            moved = shift_prevalence(np.array(threshold), source=float(truth.mean()), field=prevalence)
            threshold = float(moved)
        _threshold_line(axes, threshold)
        _legend_above(axes)
    return drawing.svg


def _refer_band(axes: Axes, refer: tuple[float, float] | None) -> None:
    if refer is not None:
        axes.axvspan(*refer, color=BLUE, alpha=0.14, linewidth=0)


def _threshold_line(axes: Axes, threshold: float | None) -> None:
    if threshold is not None:
        axes.axvline(threshold, color=INK, linewidth=1, linestyle=(0, (3, 2)))


def _colours(by_class: ByClass) -> list[str]:
    return [CYCLE[k % len(CYCLE)] for k in range(len(by_class))]


def people_plot(counts: Mapping[str, float], *, of: str = "people", n: int = 1000, columns: int = 50) -> str:
    """Draw n people as dots, in the given order and share; the rest are grey.

    Args:    counts: style name to people of n; the largest remainders round up so that their sum holds.
             of: what they are, where they are no people.
    """
    exact = np.array(list(counts.values()), np.float64)
    whole = np.floor(exact).astype(np.int64)
    missing = round(float(exact.sum())) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    edges = np.concatenate([[0], np.cumsum(whole), [n]])
    rows = -(-n // columns)
    paths = []
    for style, start, stop in zip([*counts, "rest"], edges[:-1], edges[1:], strict=True):
        # A step of no length with round ends is a dot; a thousand circles would be ten times the bytes.
        dots = "".join(f"M{10 * (k % columns) + 5} {10 * (k // columns) + 5}h0" for k in range(start, stop))
        paths.append(f'<path class="{style}" d="{dots}"/>' if dots else "")
    view_box = f"0 0 {10 * columns} {10 * rows}"
    return (
        f'<svg class="people" viewBox="{view_box}" role="img" aria-label="{n:,} {of}">{"".join(paths)}</svg>'
    )


def robustness_plot(name: str, found: Mapping[str, Any]) -> str:
    """Draw AUROC and its interval against the strength of one disturbance, and where it was without."""
    points = [one for one in found["points"] if one["value"] is not None and one["low"] is not None]
    with Drawing(f"AUROC under {name}") as drawing:
        axes = drawing.axes
        at = range(len(points))
        # Strengths differ in scale from kind to kind; their order is what matters.
        axes.set_xticks(list(at), [f"{one['strength']:g}" for one in points])
        if found["undisturbed"]["value"] is not None:
            axes.axhline(found["undisturbed"]["value"], color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        axes.fill_between(
            list(at), [one["low"] for one in points], [one["high"] for one in points], alpha=0.15, linewidth=0
        )
        axes.plot(list(at), [one["value"] for one in points], marker="o", markersize=4)
        axes.set_ylim(min([0.45, *(one["low"] for one in points)]), 1.02)
        axes.set_xlabel(f"strength ({found['unit']})")
        axes.set_ylabel("AUROC")
    return drawing.svg


def learning_curves_plot(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], *, metric: str = "AUROC", unit: str = "subjects"
) -> str:
    """Draw a metric and its interval against the training subjects, one line for each network.

    Args:    curves: name of each network to its points, as of `learning_curve`; those left out are not drawn.
    """
    with Drawing(f"{metric} against training {unit}") as drawing:
        axes = drawing.axes
        sizes: set[int] = set()
        for colour, (name, points) in zip(CYCLE, curves.items(), strict=False):
            drawn = [one for one in points if one.get("value") is not None]
            at = [one["train_subjects"] for one in drawn]
            sizes.update(at)
            label = name if len(curves) > 1 else None
            axes.plot(
                at, [one["value"] for one in drawn], color=colour, marker="o", markersize=4, label=label
            )
            known = [one for one in drawn if one["low"] is not None]
            # With several networks bands hide each other; bars beside the points do not.
            if len(curves) == 1:
                axes.fill_between(
                    [one["train_subjects"] for one in known],
                    [one["low"] for one in known],
                    [one["high"] for one in known],
                    color=colour,
                    alpha=0.15,
                    linewidth=0,
                )
            else:
                for one in known:
                    axes.vlines(
                        one["train_subjects"],
                        one["low"],
                        one["high"],
                        color=colour,
                        alpha=0.35,
                        linewidth=1.4,
                    )
        axes.set_xscale("log")
        axes.set_xticks(sorted(sizes), [f"{size:,}" for size in sorted(sizes)])
        axes.minorticks_off()
        axes.set_xlabel(f"training {unit}")
        axes.set_ylabel(metric)
        if len(curves) > 1:
            _legend_above(axes)
    return drawing.svg
