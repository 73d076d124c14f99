"""Commands about contracts: propose one, and hold recordings against one."""

from pathlib import Path
from typing import Annotated

import typer

from vicinal.cli.options import Channels, Json, RateHz, Units, print_json
from vicinal.terminal import Terminal

__all__ = ["contract"]

contract = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Propose a contract for recordings, or hold recordings against one.",
)


@contract.command()
def infer(
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    most: Annotated[int, typer.Option(min=1, help="Recordings looked at, evenly taken.")] = 300,
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    as_json: Json = False,
) -> None:
    """Propose a contract that most recordings meet, and show what was seen of them."""
    from vicinal.workflow.contracting import infer_contract
    from vicinal.workflow.telling_inputs import tell_inferred

    terminal = Terminal()
    stated = {"rate_hz": rate_hz, "units": units, "channels": channels}
    proposed, seen = infer_contract(files, most=most, stated=stated, show=terminal)
    if as_json:
        print_json({"contract": proposed.model_dump(mode="json"), "seen": seen.to_dict()})
    else:
        tell_inferred(proposed, seen, terminal)


@contract.command()
def check(
    contract_file: Annotated[
        Path, typer.Argument(metavar="CONTRACT", help="TOML or JSON, an experiment file, or a model.vicinal.")
    ],
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    as_json: Json = False,
) -> None:
    """List every way in which recordings break a contract; exit code 1 when one cannot enter the network."""
    from vicinal.workflow.contracting import check_files, load_contract
    from vicinal.workflow.telling_inputs import tell_checked

    terminal = Terminal()
    stated = {"rate_hz": rate_hz, "units": units, "channels": channels}
    checked = check_files(load_contract(contract_file), files, stated=stated, show=terminal)
    if as_json:
        print_json([one.to_dict() for one in checked])
    else:
        tell_checked(checked, terminal)
    if any(one.is_broken for one in checked):
        raise typer.Exit(1)
