"""Commands about networks and models: what they cost, and what they say of a recording."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vicinal.cli.options import Channels, Data, Json, RateHz, Units, page_name, print_json, say_page
from vicinal.terminal import Terminal

__all__ = ["bench", "evaluate", "inspect", "score", "trace"]


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
        print_json(scored.to_dict())
    else:
        tell_scores(scored, terminal)


def evaluate(
    models: Annotated[list[Path], typer.Argument(help="A model.vicinal or a run folder; two are compared.")],
    data: Annotated[
        Path,
        typer.Option(help="A folder of labelled recordings, or an experiment file whose [inputs] name them."),
    ],
    keys: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set one key of [inputs]: label_column=diagnosis. Repeatable."),
    ] = None,
    subgroup: Annotated[
        list[str] | None,
        typer.Option(help="A column of the labels, or quality; with bands, age=40,65. Repeatable."),
    ] = None,
    robustness: Annotated[
        list[str] | None, typer.Option(help="A disturbance of the recordings, such as muscle. Repeatable.")
    ] = None,
    robustness_rows: Annotated[int, typer.Option(min=20, help="So many recordings at most.")] = 500,
    metrics: Annotated[
        list[str] | None, typer.Option(help="Further metrics, such as beats. Repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A folder for evidence, scores and report.")] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples of subjects.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    as_json: Json = False,
) -> None:
    """Judge a model on labelled data that it has never seen, or compare two on the same rows."""
    from vicinal.workflow.evaluating import evaluate
    from vicinal.workflow.telling_evaluation import tell_evaluation

    terminal = Terminal()
    done = evaluate(
        models,
        data=data,
        overrides=keys or [],
        columns=subgroup or [],
        robustness=robustness or [],
        robustness_rows=robustness_rows,
        metrics=metrics or [],
        output=output,
        resamples=resamples,
        seed=seed,
        show=terminal,
    )
    if as_json:
        print_json(done.to_dict())
    else:
        tell_evaluation(done, terminal)


def trace(
    model: Annotated[Path, typer.Argument(help="A model.vicinal.")],
    file: Annotated[Path, typer.Argument(help="One recording or image.")],
    html: Annotated[
        Path | None,
        typer.Option(help="Draw the way as a page; without a name, trace.html.", callback=page_name),
    ] = None,
    explain: Annotated[
        str | None, typer.Option(help="A class: what its score rests on, instead of the most probable one's.")
    ] = None,
    rate_hz: RateHz = None,
    units: Units = None,
    channels: Channels = None,
    as_json: Json = False,
) -> None:
    """Follow one recording or image through the network to its decision."""
    from vicinal.workflow.scoring import trace
    from vicinal.workflow.telling import tell_trace

    stated = {"rate_hz": rate_hz, "units": units, "channels": channels}
    traced = trace(model, file, html=html, explain=explain, stated=stated)
    if as_json:
        print_json(traced.to_dict())
    else:
        tell_trace(traced, Terminal())
    say_page(html, Terminal())


def inspect(
    network: Annotated[str, typer.Argument(help="A network text, the name of a preset, or a run folder.")],
    shape: Annotated[
        str | None, typer.Option("--input", help="CHANNELSxPOINTS@HZ, such as 12x1000@100.")
    ] = None,
    contract: Annotated[
        Path | None,
        typer.Option(help="Instead of --input: TOML or JSON, an experiment file, or a model.vicinal."),
    ] = None,
    classes: Annotated[int | None, typer.Option(min=1, help="Outputs, for `dense classes`; else 1.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Draw what each unit sees as a page; without a name, inspect.html.", callback=page_name
        ),
    ] = None,
    recording: Annotated[
        Path | None, typer.Option(help="A recording to draw it over, instead of a synthetic ECG.")
    ] = None,
    rows: Annotated[
        Literal["validation", "train"] | None,
        typer.Option(help="Of a run: the rows to look for what excites each unit; else validation."),
    ] = None,
    units: Annotated[
        int | None, typer.Option(min=1, help="Of a run: units of each stage to tell; else 8.")
    ] = None,
    by: Annotated[
        Literal["class", "value"] | None,
        typer.Option(
            help="Of a run: first the units that tell classes apart best, or with the largest values."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what a network costs, what each unit of it sees and, of a run, what excites it most."""
    from vicinal.workflow.inspecting import draw_inspection, inspect
    from vicinal.workflow.inspecting_run import inspect_run, is_run, refuse_options
    from vicinal.workflow.telling import tell_inspected_run, tell_inspection

    terminal = Terminal()
    trained = is_run(network)
    refuse_options(
        trained,
        of_text={"--input": shape, "--contract": contract, "--classes": classes},
        of_run={"--rows": rows, "--units": units, "--by": by, "--data": data},
    )
    if trained:
        inspected = inspect_run(
            Path(network), rows=rows or "validation", n_units=units or 8, by=by or "class", data=data, html=html,
            recording=recording, show=terminal,
        )  # fmt: skip
        print_json(inspected.to_dict()) if as_json else tell_inspected_run(inspected, terminal)
        say_page(html, terminal)
        return
    inspection = inspect(network, shape=shape, contract_file=contract, n_outputs=classes or 1)
    if html is not None:
        draw_inspection(inspection, html, recording=recording, contract_file=contract)
    if as_json:
        print_json(inspection.to_dict())
    else:
        tell_inspection(inspection, terminal)
    say_page(html, terminal)


def bench(
    presets: Annotated[
        list[str] | None, typer.Argument(help="Presets to measure; by default resnet1d.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Recordings at a time.")] = 128,
    rounds: Annotated[int, typer.Option(min=1, help="Alternating rounds; the median ratio counts.")] = 7,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:<number>.")] = "cpu",
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        typer.Option(
            help="Of products; auto takes what this machine multiplies faster, float32 what one without "
            "bfloat16 units (AMX, AVX512-BF16) takes."
        ),
    ] = "auto",
    as_json: Json = False,
) -> None:
    """Measure how fast networks train and run here, against the same network in plain PyTorch."""
    from vicinal.bench.measuring import bench
    from vicinal.workflow.telling import tell_bench

    terminal = Terminal()
    with terminal.progress("measuring") as update:
        result = bench(
            presets or ["resnet1d"],
            batch=batch,
            rounds=rounds,
            device=device,
            precision=precision,
            progress=update,
        )
    if as_json:
        print_json(result)
    else:
        tell_bench(result, terminal)
