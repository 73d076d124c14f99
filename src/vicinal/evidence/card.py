"""The model card: one page of Markdown that travels inside the model file.

Says what the model is for, what it was trained and judged on, and what its errors mean, from the evidence alone.
Sections follow Mitchell et al. 2019, "Model Cards for Model Reporting". Must not know networks or signals.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["write_card"]

_SHOWN = (
    "auroc",
    "average_precision",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "brier",
    "macro_f1",
    "accuracy",
)


def write_card(evidence: Mapping[str, Any], *, network: str) -> str:
    """Return the card in Markdown.

    Args:    evidence: what `summarise` gave.  network: the network's text.
    """
    protocol = evidence["protocol"]
    rows = ", ".join(f"{n:,} {part}" for part, n in protocol["rows"].items())
    of = f"at the {protocol['rows_are']} of" if protocol.get("task") == "events" else "from"
    sections = {
        "Model": f"Decides {' / '.join(protocol['classes'])} {of} one recording, with the network\n\n"
        + "".join(f"    {line}\n" for line in network.splitlines()),
        "Intended use": "Research. It is not a medical device, and its evidence holds for recordings like those "
        "it was judged on.",
        "Data": f"{protocol['title']}: {rows} recordings; subjects {protocol['subjects']}. "
        + " ".join(protocol["notes"]),
        "Evidence on test rows": _table(evidence["metrics"]),
        "Decision": f"Aim: {evidence['policy']['aim']}, fitted on {protocol['threshold_rows']} rows. "
        + str(evidence["meaning"].get("sentence", "")),
        "Made by": f"`{protocol['command']}` ({protocol['n_steps']:,} steps, seed {protocol['seed']}).",
    }
    return (
        "\n\n".join([f"# {protocol['title']}", *(f"## {k}\n\n{v.strip()}" for k, v in sections.items())])
        + "\n"
    )


def _table(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| metric | value | 95 % interval |", "|---|---|---|"]
    for name in _SHOWN:
        row = metrics.get(name)
        if row is not None and row["value"] is not None:
            lines.append(f"| {name} | {row['value']:.3f} | {_interval(row)} |")
    return "\n".join(lines)


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row["low"] is None or row["high"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
