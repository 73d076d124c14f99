"""Commands about inputs: what is there, what it holds, and how it becomes rows."""

from typing import Annotated

import typer

from vicinal.terminal import Terminal

__all__ = ["get"]


def get(
    name: Annotated[str, typer.Argument(help="cinc2017 or mitdb.")],
    source: Annotated[
        str | None, typer.Option(help="Another base URL, or a folder, with the same tree.")
    ] = None,
) -> None:
    """Fetch a public data set from PhysioNet, checked against its published sums."""
    from vicinal.workflow.getting import get

    print(get(name, source=source, show=Terminal()))
