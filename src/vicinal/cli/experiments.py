"""Commands over one experiment file, and the demo."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vicinal.cli.options import (
    Data,
    Events,
    Json,
    Minutes,
    Seed,
    Set,
    names_of,
    numbers_of,
    overrides_of,
    print_json,
)
from vicinal.terminal import QUIET, Terminal

__all__ = ["compare", "decide", "demo", "report", "run", "train", "watch"]


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
        print_json(found.to_dict())
    else:
        tell_demo(found, terminal)


def run(
    experiment: Annotated[
        Path | None, typer.Argument(help="An experiment file (TOML).", show_default=False)
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The run folder; by default runs/NAME.")] = None,
    data: Data = None,
    seed: Seed = None,
    minutes: Minutes = None,
    keys: Set = None,
    tensorboard: Events = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the interrupted run of this folder instead.")
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option(help="Resume although experiment, data, PyTorch or threads changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run an experiment from files to decisions, or go on with a run that was interrupted."""
    from vicinal.workflow.telling import tell_run
    from vicinal.workflow.telling_training import is_training, tell_training

    terminal, overrides = Terminal(), overrides_of(keys, seed, minutes)
    if (experiment is None) == (resume is None):
        raise typer.BadParameter("give an experiment file, or --resume and the folder of an interrupted run")
    if resume is not None:
        if output is not None or overrides or tensorboard is not None:
            raise typer.BadParameter("an interrupted run keeps its settings; leave out all but --data")
        from vicinal.workflow.resuming import resume as resume_run

        done = resume_run(resume, data=data, accept_changes=accept_changes, show=terminal)
    else:
        from vicinal.workflow.running import run

        assert experiment is not None  # one of the two is given
        done = run(
            experiment, output=output, data=data, overrides=overrides, tensorboard=tensorboard, show=terminal
        )
    if as_json:
        print_json({"folder": str(done.folder), **done.evidence})
    elif is_training(done):
        tell_training(done, terminal)
    else:
        tell_run(done, terminal)


def train(
    experiment: Annotated[Path, typer.Argument(help="An experiment file (TOML).")],
    output: Annotated[Path | None, typer.Option(help="The folder; by default runs/NAME.")] = None,
    data: Data = None,
    seed: Seed = None,
    minutes: Minutes = None,
    keys: Set = None,
    tensorboard: Events = None,
    find_lr: Annotated[
        bool,
        typer.Option("--find-lr", help="Look for a learning rate instead, by a short climb through all."),
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="With --find-lr: draw the climb here, .svg or .png.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the network of an experiment, scoring no test row, or find its learning rate."""
    from vicinal.workflow.telling_training import tell_range, tell_training

    terminal, overrides = Terminal(), overrides_of(keys, seed, minutes)
    if find_lr:
        from vicinal.workflow.finding_rate import find_rate

        if output is not None or tensorboard is not None:
            raise typer.BadParameter("--find-lr leaves no folder; leave out --output and --tensorboard")
        found = find_rate(experiment, data=data, overrides=overrides, plot=plot, show=terminal)
        if as_json:
            print_json(found.to_dict())
        else:
            tell_range(found, terminal)
        return
    if plot is not None:
        raise typer.BadParameter("--plot draws what --find-lr found; it goes with it")
    from vicinal.workflow.running import train

    done = train(
        experiment, output=output, data=data, overrides=overrides, tensorboard=tensorboard, show=terminal
    )
    if as_json:
        print_json({"folder": str(done.folder), **done.evidence})
    else:
        tell_training(done, terminal)


def watch(
    run: Annotated[Path, typer.Argument(help="The folder of a run: under way, interrupted or finished.")],
    as_json: Json = False,
) -> None:
    """Follow a run from another terminal until it ends, or Ctrl-C; --json says once where it is."""
    from vicinal.workflow.watching import watch

    terminal = Terminal()
    watched = watch(run, follow=not as_json, show=QUIET if as_json else terminal)
    if as_json:
        print_json(watched.to_dict())
    else:
        terminal.picture(watched.view)
        terminal.result(watched.words())


def decide(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    aim: Annotated[str, typer.Option(help="What the threshold must achieve: 'sensitivity >= 0.95'.")],
    confidence: Annotated[
        float | None, typer.Option(help="Guarantee it with this confidence, or refuse.")
    ] = None,
    prevalence: Annotated[float | None, typer.Option(help="How common the class is in the field.")] = None,
    refer: Annotated[
        str | None, typer.Option(help="What is left to a person: share=0.1, risk=0.01 or 0.3,0.6.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Give a finished run another policy, fitted on its calibration rows; no weight changes."""
    from vicinal.workflow.deciding import decide
    from vicinal.workflow.telling import tell_decision

    decided = decide(run, aim=aim, confidence=confidence, prevalence=prevalence, refer=refer)
    if as_json:
        print_json(decided.to_dict())
    else:
        tell_decision(decided, Terminal())


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    as_json: Json = False,
) -> None:
    """Write report.html and report.md of a finished run again, from what its folder holds."""
    from vicinal.workflow.reporting import report

    written = report(run)
    if as_json:
        print_json({"page": str(written.page), "text": str(written.text)})
    else:
        Terminal().result(f"{written.page}\n{written.text}")


def compare(
    experiment: Annotated[Path, typer.Argument(help="An experiment file (TOML).")],
    networks: Annotated[
        str | None,
        typer.Option(
            help="Families, presets or network texts: dense,local,conv@16. By default the experiment's own."
        ),
    ] = None,
    match: Annotated[
        Literal["parameters", "multiply-adds"],
        typer.Option(help="What the width of a family is matched on, to the experiment's own network."),
    ] = "parameters",
    fractions: Annotated[
        str | None, typer.Option(help="Shares of the training subjects: 0.1,0.25,0.5,1.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 3,
    rates: Annotated[
        str | None, typer.Option(help="Learning rates tried for each network on validation rows.")
    ] = None,
    cut: Annotated[
        str | None, typer.Option(help="Networks that are also trained cut to fewer stages, or none.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="KEY=A,B or KEY=without, for any key of the experiment. Repeatable."),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Of the test rows: auroc, accuracy, ...")] = None,
    target: Annotated[
        float | None, typer.Option(help="Of the metric: how many subjects does it take?")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The folder; by default runs/compare-NAME.")] = None,
    data: Data = None,
    seed: Seed = None,
    minutes: Minutes = None,
    keys: Set = None,
    as_json: Json = False,
) -> None:
    """Compare networks, or any keys of an experiment, and see what each bought."""
    from vicinal.workflow.asking import Asked
    from vicinal.workflow.comparing import compare
    from vicinal.workflow.telling_comparison import tell_comparison

    terminal = Terminal()
    asked = Asked(
        networks=names_of(networks, "--networks"),
        vary=tuple(vary or ()),
        by=match,
        shares=numbers_of(fractions, "--fractions"),
        seeds=seeds,
        rates=numbers_of(rates, "--rates"),
        cut=None if cut is None else () if cut == "none" else names_of(cut, "--cut"),
        metric=metric,
        target=target,
    )
    done = compare(
        experiment,
        asked,
        output=output,
        data=data,
        overrides=overrides_of(keys, seed, minutes),
        show=terminal,
    )
    if as_json:
        print_json({"folder": str(done.folder), **done.evidence})
    else:
        tell_comparison(done, terminal)
