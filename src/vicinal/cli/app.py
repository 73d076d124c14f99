"""The command line: parse, call one workflow function, print. Nothing is computed here.

Exit codes: 0 done, 1 a clear failure, 2 wrong usage, 143 stopped by SIGTERM. Results go to standard output, the rest
to standard error. Workflows are imported when their command runs, so that `--help` answers at once.
"""

import sys
from typing import Annotated

import typer

from vicinal import __version__
from vicinal.cli import contracts, experiments, inputs, models
from vicinal.cli.options import with_page_names
from vicinal.errors import VicinalError

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Networks with the right inductive bias for signals, from files to decisions.",
)

COMMANDS = (
    experiments.demo,
    inputs.get,
    inputs.init,
    inputs.show,
    inputs.pack,
    inputs.audit,
    experiments.run,
    experiments.train,
    experiments.watch,
    experiments.decide,
    experiments.report,
    models.evaluate,
    models.score,
    experiments.compare,
    models.trace,
    models.inspect,
    models.bench,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(contracts.contract, name="contract")


def main() -> None:
    """Run the command line; intended errors become one message and exit code 1."""
    try:
        app(args=with_page_names(sys.argv[1:]))
    except VicinalError as error:
        print(f"vicinal: {error}", file=sys.stderr)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
