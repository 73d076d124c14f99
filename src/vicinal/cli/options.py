"""Options that several commands take, and how results are printed as JSON."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from vicinal.files import to_json
from vicinal.terminal import Show

__all__ = [
    "Channels",
    "Data",
    "Events",
    "Json",
    "Minutes",
    "RateHz",
    "Seed",
    "Set",
    "Units",
    "names_of",
    "numbers_of",
    "overrides_of",
    "page_name",
    "print_json",
    "say_page",
    "with_page_names",
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Data = Annotated[Path | None, typer.Option(help="Where the data set lies, or its archive.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Set one key: training.batch=32. Repeatable.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of weights, order and augmentation.")]
RateHz = Annotated[float | None, typer.Option(min=0.001, help="Rate, for files that do not state it.")]
Units = Annotated[str | None, typer.Option(help="Unit, for files that do not state it.")]
Channels = Annotated[list[str] | None, typer.Option(help="Channel names, for files without. Repeatable.")]
Events = Annotated[
    Path | None, typer.Option("--tensorboard", help="Folder for event files of TensorBoard too.")
]
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


def with_page_names(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a command with a name for each `--html` that has none: `inspect.html` of `inspect`.

    The parser knows options with a value and options without, and none that may have one. What follows is no name
    where it is an option, a file or folder that is there, or a network: `inspect --html founding`.
    """
    named = list(arguments)
    for place in reversed([k for k, one in enumerate(named) if one == "--html"]):
        following = named[place + 1 : place + 2]
        if not following or following[0].startswith("-") or _is_argument(following[0], command=named[0]):
            named[place : place + 1] = ["--html", f"{named[0]}.html"]
    return named


def _is_argument(word: str, *, command: str) -> bool:
    """Whether a word behind `--html` is what the command is about."""
    if _is_page(word):
        return False
    if command == "inspect":
        from vicinal.workflow.inspecting import is_network  # only here: it loads what networks are made of

        if is_network(word):
            return True
    return os.path.exists(word)  # noqa: PTH110  (a network text may be longer than any file name)


def _is_page(name: str) -> bool:
    return name.lower().endswith((".html", ".htm"))


def page_name(html: Path | None) -> Path | None:
    """Return the name of a page.

    Raises:  typer.BadParameter: when it does not end as one.
    """
    if html is not None and not _is_page(html.name):
        raise typer.BadParameter(
            f"expected a page's name that ends in .html, got {str(html)!r}. Write --html {html}.html, or --html as the "
            "last word for the usual name."
        )
    return html


def say_page(html: Path | None, show: Show) -> None:
    """Say where a page was written, when there is one."""
    if html is not None:
        show.say(f"page: {html}")


def names_of(text: str | None, option: str) -> tuple[str, ...]:
    """Return names between commas; a network text has none.

    Raises:  typer.BadParameter: when one is empty.
    """
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if "" in names:
        raise typer.BadParameter(
            f"{option}: expected names between commas, got {text!r}, where one is empty. Leave the comma out."
        )
    return names


def numbers_of(text: str | None, option: str) -> tuple[float, ...]:
    """Return numbers between commas.

    Raises:  typer.BadParameter: when one is none.
    """
    try:
        return tuple(float(name) for name in names_of(text, option))
    except ValueError as error:
        raise typer.BadParameter(f"{option}: expected numbers between commas, got {text!r}") from error
