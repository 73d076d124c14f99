"""The command line: parse, call one workflow function, print. Nothing is computed here.

Exit codes: 0 done, 1 a clear failure, 2 wrong usage. Results go to standard output, the rest to standard error.
Workflows are imported when their command runs, so that `--help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vicinal import __version__
from vicinal.errors import VicinalError
from vicinal.files import to_json
from vicinal.terminal import Terminal

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Networks with the right inductive bias for signals, from files to decisions.",
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Data = Annotated[Path | None, typer.Option(help="Where the data set lies, or its archive.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Set one key: training.batch=32. Repeatable.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of weights, order and augmentation.")]
RateHz = Annotated[float | None, typer.Option(min=0.001, help="Rate, for files that do not state it.")]
Units = Annotated[str | None, typer.Option(help="Unit, for files that do not state it.")]
Channels = Annotated[list[str] | None, typer.Option(help="Channel names, for files without. Repeatable.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Budget of training, in minutes.")]


def main() -> None:
    """Run the command line; intended errors become one message and exit code 1."""
    try:
        app()
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


def _print_json(value: Any) -> None:
    print(to_json(value))


def _overrides(keys: list[str] | None, seed: int | None, minutes: float | None) -> list[str]:
    overrides = list(keys or [])
    if seed is not None:
        overrides.append(f"seed={seed}")
    if minutes is not None:
        overrides.append(f"training.minutes={minutes}")
    return overrides


@app.command()
def demo(
    output: Annotated[Path | None, typer.Option(help="Folder for what the demo leaves behind.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell the founding example truthfully: what locality and weight sharing buy on 100 points of an ECG."""
    from vicinal.workflow.demonstrating import demo
    from vicinal.workflow.telling import tell_demo

    terminal = Terminal()
    found = demo(output=output, data=data, show=terminal)
    if as_json:
        _print_json(found.to_dict())
    else:
        tell_demo(found, terminal)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="cinc2017 or mitdb.")],
    source: Annotated[
        str | None, typer.Option(help="Another base URL, or a folder, with the same tree.")
    ] = None,
) -> None:
    """Fetch a public data set from PhysioNet, checked against its published sums."""
    from vicinal.workflow.getting import get

    print(get(name, source=source, show=Terminal()))


@app.command()
def run(
    experiment: Annotated[Path, typer.Argument(help="An experiment file (TOML).")],
    output: Annotated[Path | None, typer.Option(help="The run folder; by default runs/NAME.")] = None,
    data: Data = None,
    seed: Seed = None,
    minutes: Minutes = None,
    keys: Set = None,
    as_json: Json = False,
) -> None:
    """Run an experiment from files to decisions."""
    from vicinal.workflow.running import run
    from vicinal.workflow.telling import tell_run

    terminal = Terminal()
    done = run(experiment, output=output, data=data, overrides=_overrides(keys, seed, minutes), show=terminal)
    if as_json:
        _print_json({"folder": str(done.folder), **done.evidence})
    else:
        tell_run(done, terminal)


@app.command()
def score(
    model: Annotated[Path, typer.Argument(help="A model.vicinal.")],
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    output: Annotated[Path | None, typer.Option(help="A .csv or .parquet file for the scores.")] = None,
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    precision: Annotated[
        Literal["float32", "bfloat16"] | None,
        typer.Option(help="float32 or bfloat16, instead of the model's."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score recordings straight from their files, and decide."""
    from vicinal.workflow.scoring import score
    from vicinal.workflow.telling import tell_scores

    terminal = Terminal()
    stated = {"rate_hz": rate_hz, "units": units, "channels": channels}
    scored = score(model, files, output=output, precision=precision, stated=stated, show=terminal)
    if as_json:
        _print_json(scored.to_dict())
    else:
        tell_scores(scored, terminal)


@app.command()
def compare(
    experiment: Annotated[Path, typer.Argument(help="An experiment file (TOML).")],
    vary: Annotated[list[str], typer.Option(help="KEY=A,B: training.learning_rate=1e-3,1e-2. Repeatable.")],
    output: Annotated[Path | None, typer.Option(help="Folder for compare.json.")] = None,
    data: Data = None,
    seed: Seed = None,
    minutes: Minutes = None,
    keys: Set = None,
    as_json: Json = False,
) -> None:
    """Vary any key of an experiment on the same split, and see what it bought."""
    from vicinal.workflow.comparing import compare
    from vicinal.workflow.telling import tell_comparison

    terminal = Terminal()
    overrides = _overrides(keys, seed, minutes)
    results = compare(experiment, vary, output=output, data=data, overrides=overrides, show=terminal)
    if as_json:
        _print_json([result.to_dict() for result in results])
    else:
        tell_comparison(results, terminal)


@app.command()
def trace(
    model: Annotated[Path, typer.Argument(help="A model.vicinal.")],
    file: Annotated[Path, typer.Argument(help="One recording.")],
    html: Annotated[Path | None, typer.Option(help="Draw the way as a page.")] = None,
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    as_json: Json = False,
) -> None:
    """Follow one recording through the network to its decision."""
    from vicinal.workflow.scoring import trace
    from vicinal.workflow.telling import tell_trace

    stated = {"rate_hz": rate_hz, "units": units, "channels": channels}
    traced = trace(model, file, html=html, stated=stated)
    if as_json:
        _print_json(traced.to_dict())
    else:
        tell_trace(traced, Terminal())


@app.command()
def inspect(
    network: Annotated[str, typer.Argument(help="A network text, or the name of a preset.")],
    shape: Annotated[str, typer.Option("--input", help="CHANNELSxPOINTS@HZ, such as 12x1000@100.")],
    classes: Annotated[int, typer.Option(min=1, help="Outputs, for `dense classes`.")] = 1,
    as_json: Json = False,
) -> None:
    """Say what a network costs and what each unit of it sees."""
    from vicinal.workflow.inspecting import inspect
    from vicinal.workflow.telling import tell_inspection

    inspection = inspect(network, shape=shape, n_outputs=classes)
    if as_json:
        _print_json(inspection.to_dict())
    else:
        tell_inspection(inspection, Terminal())


@app.command()
def bench(
    presets: Annotated[
        list[str] | None, typer.Argument(help="Presets to measure; by default resnet1d.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Recordings at a time.")] = 128,
    rounds: Annotated[int, typer.Option(min=1, help="Alternating rounds; the median ratio counts.")] = 7,
    as_json: Json = False,
) -> None:
    """Measure how fast networks train and run here, against the same network in plain PyTorch."""
    from vicinal.bench import bench
    from vicinal.workflow.telling import tell_bench

    terminal = Terminal()
    with terminal.progress("measuring") as update:
        result = bench(presets or ["resnet1d"], batch=batch, rounds=rounds, progress=update)
    if as_json:
        _print_json(result)
    else:
        tell_bench(result, terminal)
