"""Blocks as one HTML page that asks for nothing from anywhere; the only module that uses jinja2."""

from collections.abc import Sequence
from importlib import resources

from vicinal.errors import ExtraError
from vicinal.evidence.report.section import Head, Section

__all__ = ["to_html"]


def to_html(head: Head, sections: Sequence[Section]) -> str:
    """Return the page.

    Raises:  ExtraError: without jinja2.
    """
    try:
        import jinja2
        import markupsafe
    except ImportError as error:
        raise ExtraError(
            "the report needs jinja2, which is not installed. Install it with: pip install 'vicinal[report]'"
        ) from error
    folder = resources.files("vicinal.evidence.report")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(folder.joinpath("report.html.j2").read_text(encoding="utf-8"))
    style = folder.joinpath("report.css").read_text(encoding="utf-8")
    return template.render(
        head=head, sections=sections, style=markupsafe.Markup(style), svg=markupsafe.Markup
    )
