"""What a person reads in the terminal after a comparison: one table, and the verdict in words.

Formats results; computes nothing.
"""

from vicinal.evidence.ladder.answer import headline
from vicinal.evidence.ladder.questions.removed import removed_rows
from vicinal.evidence.ladder.table import comparison_rows, rows_in_words
from vicinal.terminal import Terminal
from vicinal.workflow.comparing import Comparison

__all__ = ["tell_comparison"]


def tell_comparison(done: Comparison, terminal: Terminal) -> None:
    """Print the table, what each step bought where some were taken out, the verdict, and where the page lies."""
    evidence = done.evidence
    columns, rows = comparison_rows(evidence)
    terminal.table(columns, rows, title=f"{evidence['title']}: {rows_in_words(evidence)}")
    if evidence["removed"]:
        columns, rows = removed_rows(evidence)
        terminal.table(columns, rows, title="\nWhat each step gives, and costs to keep")
    for one in evidence["verdict"]:
        terminal.paragraph(f"\n{headline(one)} {one['sentence']}")
    for name, one in evidence["networks"].items():
        for problem in one["failed"]:
            terminal.say(f"{name}: {problem}")
    terminal.result(f"\npage: {done.folder / 'compare.html'}\nnumbers: {done.folder / 'compare.json'}")
