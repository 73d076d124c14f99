"""Write docs/commands.md from what the commands say of themselves with --help.

`make docs` runs it, and a test holds the page against it.
"""

from pathlib import Path

from typer.testing import CliRunner

from vicinal.cli.app import app

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
INTRODUCTION = """# Commands

Generated from `--help` by `make docs`. Results go to standard output, progress and messages to standard error.
Exit codes: 0 done, 1 a clear failure, 2 wrong usage, 130 stopped by Ctrl-C.
"""


def reference() -> str:
    """Return the page."""
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    sections = [f"## vicinal {name}\n\n```text\n{_help(name)}\n```\n" for name in names]
    return "\n".join([INTRODUCTION, *sections])


def _help(name: str) -> str:
    result = CliRunner().invoke(app, [name, "--help"], terminal_width=100, prog_name="vicinal")
    return result.output.strip()


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
