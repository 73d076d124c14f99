"""What a person reads in the terminal after a command about inputs.

Formats results; computes nothing.
"""

from vicinal.terminal import Terminal
from vicinal.workflow.showing import Shown

__all__ = ["tell_shown"]


def tell_shown(shown: Shown, terminal: Terminal) -> None:
    """Print what a file holds."""
    terminal.result(f"{shown.facts.id}: {shown.facts.sentence()}")
    terminal.table(shown.facts.COLUMNS, shown.facts.lines(), n_text=2)
