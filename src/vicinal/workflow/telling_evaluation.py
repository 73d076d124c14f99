"""What a person reads after `vicinal evaluate`: first how the data fit the contract, then the evidence."""

from vicinal.evidence.summary import remarks
from vicinal.terminal import Terminal
from vicinal.workflow.evaluating import Evaluated
from vicinal.workflow.external import Fitness
from vicinal.workflow.metric_cells import interval_cell, value_cell
from vicinal.workflow.telling import alarm_lines

__all__ = ["tell_evaluation"]

_MOST_REFUSED = 5


def tell_evaluation(done: Evaluated, terminal: Terminal) -> None:
    """Print contract findings, then the metrics of one model, or what two differ in."""
    two = len(done.names) == 2
    for name, fitness in zip(done.names, done.fitness, strict=True):
        _tell_fitness(f"contract of {name}" if two else "contract", fitness, terminal)
    for note in done.evidence[0]["protocol"]["notes"]:
        terminal.paragraph(note)
    if two:
        terminal.result(f"\na: {done.names[0]}\nb: {done.names[1]}")
        rows = [
            [
                name,
                f"{entry['a']:.3f}",
                f"{entry['b']:.3f}",
                f"{entry['value']:+.3f}",
                interval_cell(entry),
                "yes" if entry["clear"] else "",
            ]
            for name, entry in done.differences.items()
        ]
        columns = ["metric", "a", "b", "a - b", "95 % interval", "clear"]
        terminal.table(columns, rows, title="Two models on the same rows")
    else:
        metrics = done.evidence[0]["metrics"]
        rows = [[name, value_cell(row), interval_cell(row), f"{row['n']:,}"] for name, row in metrics.items()]
        terminal.table(["metric", "value", "95 % interval", "rows"], rows, title="Rows new to the model")
        for remark in remarks(metrics):
            terminal.paragraph(remark)
        if sentence := done.evidence[0]["meaning"].get("sentence"):
            terminal.paragraph(sentence)
        for line in alarm_lines(done.evidence[0]):
            terminal.paragraph(line)
    if done.folder is not None:
        terminal.result(f"report: {done.folder / ('report-a.html' if two else 'report.html')}")


def _tell_fitness(title: str, fitness: Fitness, terminal: Terminal) -> None:
    terminal.result(f"{title}: {fitness.n_exact:,} of {fitness.n:,} recordings fit as they are")
    if fitness.novelty[1]:
        terminal.paragraph(": ".join(fitness.novelty))
    for field, (n, example) in fitness.converted.items():
        terminal.result(f"  {field}: converted in {n:,}, such as {example}")
    if fitness.refused:
        terminal.result(f"  {len(fitness.refused):,} do not fit and were not scored:")
    for name, why in fitness.refused[:_MOST_REFUSED]:
        terminal.result(f"    {name}: {why}")
