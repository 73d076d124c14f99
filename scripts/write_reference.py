"""Write docs/commands.md from what the commands say of themselves with --help.

`make docs` runs it, and a test holds the page against it.
"""

from pathlib import Path

from typer.models import CommandInfo
from typer.testing import CliRunner

from vicinal.cli.app import app

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
INTRODUCTION = """# Commands

Generated from `--help` by `make docs`. Results go to standard output, progress and messages to standard error.
Exit codes: 0 done, 1 a clear failure, 2 wrong usage, 130 stopped by Ctrl-C.
"""


def reference() -> str:
    """Return the page."""
    names = [[_name(command)] for command in app.registered_commands]
    for group in app.registered_groups:
        names += [[str(group.name), _name(command)] for command in group.typer_instance.registered_commands]
    sections = [f"## vicinal {' '.join(words)}\n\n```text\n{_help(words)}\n```\n" for words in names]
    return "\n".join([INTRODUCTION, *sections])


def _name(command: CommandInfo) -> str:
    return command.name or command.callback.__name__


def _help(words: list[str]) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], terminal_width=100, prog_name="vicinal")
    return result.output.strip()


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
