"""Commands about inputs: what is there, what it holds, and how it becomes rows."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vicinal.cli.options import Channels, Data, Json, RateHz, Set, Units, page_name, print_json, say_page
from vicinal.terminal import Terminal

__all__ = ["audit", "get", "init", "pack", "show"]


def get(
    name: Annotated[str, typer.Argument(help="cinc2017, mitdb or ptbxl.")],
    source: Annotated[
        str | None, typer.Option(help="Another base URL, or a folder, with the same tree.")
    ] = None,
    rate_hz: Annotated[
        int | None, typer.Option(help="ptbxl is published at 100 (usual) and 500 Hz.", show_default=False)
    ] = None,
) -> None:
    """Fetch a public data set from PhysioNet, checked against its published sums; goes on where it stopped."""
    from vicinal.workflow.getting import get

    print(get(name, source=source, rate_hz=rate_hz, show=Terminal()))


def init(
    folder: Annotated[Path, typer.Argument(help="Your recordings, with their labels.")],
    output: Annotated[
        Path | None, typer.Option(help="The experiment file; by default FOLDER.toml here.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="The label table.")] = None,
    file_column: Annotated[str | None, typer.Option(help="Its column that names the recordings.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Its column with the labels.")] = None,
    subject_column: Annotated[str | None, typer.Option(help="Its column that says whom.")] = None,
    samples: Annotated[
        str | None, typer.Option(help="FIRST:LAST sample column of a table with one signal a row.")
    ] = None,
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    overwrite: Annotated[bool, typer.Option(help="Write over an experiment file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a folder of your own recordings, and write a first experiment file for it."""
    from vicinal.workflow.starting import init
    from vicinal.workflow.telling_inputs import tell_started

    terminal = Terminal()
    told = {
        "labels": labels,
        "file_column": file_column,
        "label_column": label_column,
        "subject_column": subject_column,
    }
    stated = {"rate_hz": rate_hz, "units": units, "channels": channels, "samples": samples}
    started = init(folder, output=output, told=told, stated=stated, overwrite=overwrite, show=terminal)
    if as_json:
        print_json(started.to_dict())
    else:
        tell_started(started, terminal)


def show(
    file: Annotated[Path, typer.Argument(help="One recording.")],
    png: Annotated[Path | None, typer.Option(help="Draw it here: ECG paper at true size.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Draw it as a page, with the table; without a name, show.html.", callback=page_name
        ),
    ] = None,
    start_s: Annotated[float, typer.Option(min=0, help="First second to draw.")] = 0.0,
    duration_s: Annotated[float, typer.Option(min=0.01, max=600, help="Seconds to draw.")] = 10.0,
    row: Annotated[int | None, typer.Option(min=0, help="Which signal of a file that holds several.")] = None,
    augment: Annotated[
        list[str] | None,
        typer.Option(help="Draw it augmented too, such as 'wander level=0.5'; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what augmentation draws at random.")] = 0,
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    as_json: Json = False,
) -> None:
    """Say what a file holds (channels, rate, units, range, missing, flat and clipped shares), and draw it."""
    from vicinal.workflow.showing import show
    from vicinal.workflow.telling_inputs import tell_shown

    shown = show(
        file,
        png=png,
        html=html,
        start_s=start_s,
        duration_s=duration_s,
        channels=channels,
        rate_hz=rate_hz,
        units=units,
        row=row,
        augmentations=augment or (),
        seed=seed,
    )
    if as_json:
        print_json(shown.facts.to_dict())
    else:
        tell_shown(shown, Terminal())
    say_page(html, Terminal())


def pack(
    experiment: Annotated[
        Path | None, typer.Argument(help="An experiment file (TOML), whose inputs are packed.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The folder of the pack; by default the cache, where `run` finds it.")
    ] = None,
    data: Data = None,
    dtype: Annotated[
        Literal["float32", "int16"] | None,
        typer.Option(help="How values are stored; int16 within inputs.storage.max_error."),
    ] = None,
    keys: Set = None,
    verify: Annotated[
        Path | None, typer.Option(help="Check this pack against its sums instead, and name the bad rows.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read, check, prepare and store the recordings of an experiment, resumably; or check a pack."""
    if (experiment is None) == (verify is None):
        raise typer.BadParameter("give an experiment file, or --verify and the folder of a pack")
    if verify is not None:
        _verify(verify, as_json)
        return
    from vicinal.workflow.packing import describe_pack, pack
    from vicinal.workflow.telling_inputs import tell_pack

    assert experiment is not None  # one of the two is given
    terminal = Terminal()
    overrides = [*(keys or []), *([f"inputs.storage.dtype={dtype}"] if dtype is not None else [])]
    made = pack(experiment, output=output, data=data, overrides=overrides, show=terminal)
    if as_json:
        print_json(describe_pack(made))
    else:
        tell_pack(made, terminal)


def _verify(folder: Path, as_json: bool) -> None:
    from vicinal.workflow.packing import verify
    from vicinal.workflow.telling_inputs import tell_verified

    verified = verify(folder)
    if as_json:
        print_json(verified.to_dict())
    else:
        tell_verified(verified, Terminal())
    if not verified.is_whole:
        raise typer.Exit(1)


def audit(
    source: Annotated[Path, typer.Argument(help="A run folder, or an experiment file (TOML).")],
    data: Data = None,
    keys: Set = None,
    as_json: Json = False,
) -> None:
    """Look for what reaches from training into test: in the data, the split, and how a run used them."""
    from vicinal.workflow.auditing import audit
    from vicinal.workflow.telling_inputs import tell_audit

    terminal = Terminal()
    audited = audit(source, data=data, overrides=keys or [], show=terminal)
    if as_json:
        print_json(audited.to_dict())
    else:
        tell_audit(audited, terminal)
