"""What a person reads in the terminal after a command: numbers with their intervals, and what they mean.

Formats results; computes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vicinal.decisions.policy import Policy
from vicinal.evidence.ladder.row import table
from vicinal.evidence.summary import remarks
from vicinal.representations.inspection import Inspection
from vicinal.scores.detectors import DetectorStage
from vicinal.scores.trace import Trace
from vicinal.terminal import Terminal
from vicinal.workflow.deciding import Decided
from vicinal.workflow.demonstrating import Demo
from vicinal.workflow.inspecting_run import InspectedRun
from vicinal.workflow.metric_cells import count_cell, interval_cell, value_cell
from vicinal.workflow.running import Run
from vicinal.workflow.scoring import Scored

__all__ = [
    "alarm_lines",
    "tell_bench",
    "tell_decision",
    "tell_demo",
    "tell_inspected_run",
    "tell_inspection",
    "tell_run",
    "tell_scores",
    "tell_trace",
]

_MOST_ROWS, _N_UNITS = 20, 3
_RESHAPING = ("norm", "relu", "gelu", "dropout")
"""Stages that change values where they are."""


def tell_run(run: Run, terminal: Terminal) -> None:
    """Print the evidence of a run and where it lies."""
    metrics = run.evidence["metrics"]
    rows = [[name, value_cell(row), interval_cell(row), count_cell(row)] for name, row in metrics.items()]
    title = "Test rows" if run.model is not None else "Test rows of all folds"
    terminal.table(["metric", "value", "95 % interval", "rows"], rows, title=title)
    for remark in remarks(metrics):
        terminal.paragraph(remark)
    sentence = run.evidence["meaning"].get("sentence")
    if sentence:
        terminal.paragraph(sentence)
    for line in alarm_lines(run.evidence):
        terminal.paragraph(line)
    if learnt := run.evidence.get("learning_curve", {}).get("sentence"):
        terminal.paragraph(learnt)
    if run.model is None:
        terminal.result(
            f"report: {run.folder / 'report.html'}\nmodel:  one a fold, in {run.folder / 'folds'}"
        )
        return
    if run.model.policy is not None:
        policy = run.model.policy
        terminal.result(f"policy: {policy.aim}{_thresholds(policy)}, of calibrated probabilities")
    model = run.folder / "model.vicinal"
    terminal.result(f"report: {run.folder / 'report.html'}\nmodel:  {model}")
    terminal.result(f"score:  vicinal score {model} FILES{f' {run.stated}' if run.stated else ''}")


def tell_decision(decided: Decided, terminal: Terminal) -> None:
    """Print the new policy beside the one it replaced, what it means, and what it rests on."""
    policy, earlier = decided.policy, decided.earlier
    terminal.result(f"policy:  {policy.aim}{_thresholds(policy)}")
    if policy.guaranteed and policy.n_guarantee is not None:
        whom = (
            "subjects" if policy.n_positive_subjects is not None else "recordings, taken for as many people"
        )
        numbers = ", ".join(f"{n:,}" for n in policy.n_guarantee)
        terminal.result(f"         guaranteed with confidence {policy.confidence:g}, by {numbers} {whom}")
    if earlier is not None:
        terminal.result(f"earlier: {earlier.aim}{_thresholds(earlier)}")
    sentence = decided.evidence["meaning"].get("sentence")
    if sentence:
        terminal.paragraph(f"\nOn the test rows: {sentence}")
    for line in alarm_lines(decided.evidence):
        terminal.paragraph(line)
    if decided.n_policies > 2:
        terminal.paragraph(
            f"\nThe model has had {decided.n_policies} policies. Who chooses among them by these numbers should judge "
            "the choice on rows that none of them was looked at on."
        )
    terminal.result(f"\nmodel:   {decided.folder / 'model.vicinal'}: the same weights, the new policy")


def alarm_lines(evidence: Mapping[str, Any]) -> list[str]:
    """Return how often each class alarms along the test recordings, in words."""
    lines = []
    for name, rate in evidence.get("alarms", {}).items():
        known = rate["low"] is not None
        interval = f" ({_rate(rate['low'])} to {_rate(rate['high'])})" if known else ""
        lines.append(
            f"Alarms of {name}: {rate['n']:,} in {rate['days']:.3g} days of test recordings, "
            f"{_rate(rate['per_day'])}{interval} per day."
        )
    return lines


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _thresholds(policy: Policy) -> str:
    """Return threshold and refer band of each class, in words."""
    pairs = zip(policy.classes, policy.thresholds, strict=False)
    parts = [f"{name} at {cut:.4g}" for name, cut in pairs if cut is not None]
    bands = policy.refer or ()
    names = policy.classes if len(bands) == len(policy.classes) else ("largest probability",) * len(bands)
    parts += [
        f"{name} referred from {band[0]:.4g} to {band[1]:.4g}"
        for name, band in zip(names, bands, strict=True)
        if band is not None
    ]
    return f" ({', '.join(parts)})" if parts else ""


def tell_scores(scored: Scored, terminal: Terminal) -> None:
    """Print scores and decisions, the first of them when there are many."""
    lines = scored.lines()
    terminal.table(lines[0], lines[1 : _MOST_ROWS + 1])
    if len(lines) > _MOST_ROWS + 1:
        terminal.result(f"... and {len(lines) - _MOST_ROWS - 1} more; --output FILE writes all of them.")
    for name, alarms in (scored.alarms or {}).items():
        terminal.result(f"alarms of {name}: {len(alarms):,} in {scored.observed_days:.3g} days")
    if scored.prevalence is not None:
        terminal.say(
            f"field_probability: where a share of {scored.prevalence:g} has it, as the policy states; probability: "
            "where it is as common as in the rows the threshold was fitted on. The decision is the same by both."
        )
    for name, reason in scored.skipped:
        terminal.say(f"skipped {name}: {reason}")


def tell_trace(trace: Trace, terminal: Terminal) -> None:
    """Print one recording's way."""
    for line in trace.lines():
        terminal.result(line)


def tell_demo(demo: Demo, terminal: Terminal) -> None:
    """Print the founding example in one screen."""
    columns, rows = table([result.row for result in demo.compared])
    terminal.table(
        columns, rows, n_text=2, title="100 points of an ECG: heart disease or not (test subjects)"
    )
    for claim in demo.claims:
        terminal.paragraph(f"\n{claim.sentence}")
    metrics = demo.run.evidence["metrics"]
    chosen = ", ".join(
        f"{name} {value_cell(metrics[name])} ({interval_cell(metrics[name])})"
        for name in ("auroc", "sensitivity", "specificity")
    )
    terminal.paragraph(
        f"\nTaken on: {demo.best}, best on validation rows of any phase. Threshold for "
        f"{demo.run.evidence['policy']['aim']} on rows set aside for it. Test rows: {chosen}."
    )
    terminal.paragraph(demo.run.evidence["meaning"]["sentence"])
    terminal.result("\nOne new file, through the saved model:")
    for line in demo.traced.lines():
        if not line.startswith("meaning"):  # said above
            terminal.result(line)
    if demo.heartbeat is not None:
        terminal.result("\nOne real heartbeat (MIT-BIH; a network that has only seen made-up hearts):")
        for line in demo.heartbeat.score_lines():
            terminal.result(line)
        terminal.result(f"drawn in   {demo.folder / 'heartbeat.html'}")
    else:
        terminal.result(
            "\nFor a real heartbeat here: vicinal get mitdb\n"
            "For a real study: vicinal get cinc2017, then vicinal run experiments/cinc2017-af.toml"
        )
    terminal.result(
        f"\n{demo.seconds:.0f} s. Look at {demo.folder / 'report.html'} and {demo.folder / 'trace.html'}"
    )


def tell_inspection(inspection: Inspection, terminal: Terminal) -> None:
    """Print stages and totals."""
    rows = [
        [
            stage.text,
            " x ".join(map(str, stage.shape)),
            f"{stage.parameters:,}",
            f"{stage.multiply_adds:,}",
            _field(stage.receptive_field_samples),
            "-" if stage.receptive_field_ms is None else f"{stage.receptive_field_ms:.1f}",
            _bytes(stage.activation_bytes),
        ]
        for stage in inspection.stages
    ]
    columns = ["stage", "leaves", "parameters", "multiply-adds", "sees samples", "sees ms", "memory"]
    terminal.table(columns, rows)
    saved = inspection.dense_equivalent_parameters / max(inspection.parameters, 1)
    terminal.result(
        f"in all: {inspection.parameters:,} parameters, {inspection.multiply_adds:,} multiply-adds and "
        f"{_bytes(inspection.activation_bytes)} of activations a signal.\n"
        f"As dense layers: {inspection.dense_equivalent_parameters:,} parameters, {saved:,.1f} times as many.\n"
        f"{_sight(inspection)}\n{_streams(inspection)}"
    )


def tell_inspected_run(inspected: InspectedRun, terminal: Terminal) -> None:
    """Print what the network is, and of each stage the units that are excited most and by what."""
    tell_inspection(inspected.inspection, terminal)
    found = inspected.detectors
    rows = []
    for text, stage in _blocks(found.stages):
        for k, unit in enumerate(stage.units[:_N_UNITS]):
            best = unit.snippets[0]
            is_a, *then = ("+".join(one.labels) or "-" for one in unit.snippets)
            name = text if k == 0 else ""
            rows.append(
                [name, unit.name, unit.told, best.id, is_a, ", ".join(then), best.where, f"{best.value:.4g}"]
            )
        if stage.n_silent:
            rows.append(["" if stage.units else text, f"{stage.n_silent:,} of {stage.n_units:,} are silent"])
    columns = ["stage", "unit", "tells", "excited most by", "is", "then by", "where", "value"]
    terminal.table(
        columns, rows, n_text=7, title=f"What excites the units of each stage most, of {found.source}"
    )


def _blocks(stages: Sequence[DetectorStage]) -> list[tuple[str, DetectorStage]]:
    """Join stages that only reshape values with the one before, whose units theirs are; the last one is told."""
    blocks: list[tuple[str, DetectorStage]] = []
    for stage in stages:
        if blocks and stage.text.split()[0] in _RESHAPING:
            blocks[-1] = (f"{blocks[-1][0]} | {stage.text}", stage)
        else:
            blocks.append((stage.text, stage))
    return blocks


def _sight(inspection: Inspection) -> str:
    """Say what one unit before the head sees."""
    words = f"One unit before the head sees {_field(inspection.receptive_field_samples)} samples"
    if inspection.receptive_field_ms is not None:
        words += f", {inspection.receptive_field_ms:,.1f} ms"
    if inspection.receptive_field_heartbeats is not None:
        words += f", {inspection.receptive_field_heartbeats:.2g} heartbeats at 60 a minute"
    return words + "."


def _streams(inspection: Inspection) -> str:
    if not inspection.streamable:
        return f"Streamable: no, {inspection.why_not_streamable}."
    late = "" if inspection.delay_ms is None else f", {inspection.delay_ms:,.1f} ms late"
    return f"Streamable: yes{late}, with a state of {inspection.state_values:,} numbers."


def tell_bench(result: Mapping[str, Any], terminal: Terminal) -> None:
    """Print ratios against plain PyTorch, and the share of the machine's peak."""
    names = [name for name, row in result.items() if isinstance(row, Mapping) and "train_ratio" in row]
    rows = [
        [
            name,
            f"{result[name]['train_ratio']:.2f}",
            f"{result[name]['infer_ratio']:.2f}",
            f"{result[name]['train_gflops']:.0f}",
            f"{result[name]['infer_gflops']:.0f}",
            f"{result[name]['train_share']:.2f}",
            f"{result[name]['infer_share']:.2f}",
            f"{100 * result[name]['overhead_share']:.1f} %",
        ]
        for name in names
    ]
    columns = [
        "preset",
        "train x",
        "infer x",
        "train GFLOP/s",
        "infer GFLOP/s",
        "of peak",
        "of peak",
        "data and loop",
    ]
    terminal.table(columns, rows, title="Against the same network with nn.Conv1d in float32")
    peaks = ", ".join(f"{kind} {peak:.0f}" for kind, peak in result["peak_gflops"].items())
    where = f"{result['device']}, {result['precision']}" + (", compiled" if result["compiled"] else "")
    if result["why_not_compiled"]:
        where += f", not compiled: {result['why_not_compiled']}"
    terminal.result(f"{where}; peak GFLOP/s of a 2048-cubed product: {peaks}; load: {result['load']}")


def _field(samples: int | tuple[int, ...]) -> str:
    return f"{samples:,}" if isinstance(samples, int) else "x".join(map(str, samples))


def _bytes(n: float) -> str:
    for unit in ("B", "kB"):
        if n < 1000:
            return f"{n:.4g} {unit}"
        n /= 1000
    return f"{n:,.4g} MB"
