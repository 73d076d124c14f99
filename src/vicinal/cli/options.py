"""Options that several commands take, and how results are printed as JSON."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vicinal.files import to_json

__all__ = [
    "Channels",
    "Data",
    "Json",
    "Minutes",
    "RateHz",
    "Seed",
    "Set",
    "Units",
    "names_of",
    "numbers_of",
    "overrides_of",
    "print_json",
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Data = Annotated[Path | None, typer.Option(help="Where the data set lies, or its archive.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Set one key: training.batch=32. Repeatable.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of weights, order and augmentation.")]
RateHz = Annotated[float | None, typer.Option(min=0.001, help="Rate, for files that do not state it.")]
Units = Annotated[str | None, typer.Option(help="Unit, for files that do not state it.")]
Channels = Annotated[list[str] | None, typer.Option(help="Channel names, for files without. Repeatable.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Budget of training, in minutes.")]


def print_json(value: Any) -> None:
    """Print a result to standard output."""
    print(to_json(value))


def overrides_of(keys: list[str] | None, seed: int | None, minutes: float | None) -> list[str]:
    """Return the settings of `--set`, `--seed` and `--minutes` as "key=value"."""
    overrides = list(keys or [])
    if seed is not None:
        overrides.append(f"seed={seed}")
    if minutes is not None:
        overrides.append(f"training.minutes={minutes}")
    return overrides


def names_of(text: str | None) -> tuple[str, ...]:
    """Return names between commas; a network text has none."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def numbers_of(text: str | None, option: str) -> tuple[float, ...]:
    """Return numbers between commas.

    Raises:  typer.BadParameter: when one is none.
    """
    try:
        return tuple(float(name) for name in names_of(text))
    except ValueError as error:
        raise typer.BadParameter(f"{option}: expected numbers between commas, got {text!r}") from error
