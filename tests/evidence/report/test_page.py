import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from tests.evidence.report.reports import full_report, small_report

from vicinal.errors import ExtraError, FormatError, PathError
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.page import render, write_report

SECTIONS = (
    "dataflow",
    "data",
    "network",
    "training",
    "evidence",
    "decisions",
    "errors",
    "card",
    "reporting",
    "made",
)


class Reader(HTMLParser):
    """Collects what a browser would fetch, section ids and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"src", "srcset", "href", "xlink:href", "data", "action", "poster"}:
                self.fetched += [value or ""] if not (value or "").startswith("#") else []
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.fixture(scope="module")
def page() -> str:
    return render(full_report())


def test_the_page_asks_for_nothing(page: str) -> None:
    reader = Reader(page)
    assert reader.fetched == []
    assert not reader.tags & {"script", "link", "iframe", "img", "object", "embed"}
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!['\"]?#)", page)
    assert "default-src 'none'" in page


def test_every_section_is_there_and_linked(page: str) -> None:
    reader = Reader(page)
    assert [one for one in reader.ids if one in SECTIONS] == list(SECTIONS)
    for name in SECTIONS:
        assert f'href="#{name}"' in page
    assert len(reader.ids) == len(set(reader.ids))


def test_the_numbers_of_the_evidence_are_there(page: str) -> None:
    text = " ".join(Reader(page).text.split())
    for said in (
        "auroc 0.912 0.861 to 0.933 4,321 1,234 87",
        "Of 1,000 people, 50 have A.",
        "46 found",
        "3.6 missed",
        "160 false alarms",
        "unreliable",
        "A00227 and A01176 are the same.",
        "1 recording left out",
        "train 5,116 455",
        "overfitting since epoch 3",
        "sensitivity >= 0.95",
        "vicinal run experiments/af.toml",
        "A0009 : A, decided not A (probability 0.031), ECG",
        "gaps are missing samples",
        "513",
        "numpy 2.3.1",
    ):
        assert said in text, said


def test_text_is_escaped(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page


def test_the_same_report_gives_the_same_bytes(page: str, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", full_report())
    assert (tmp_path / "report.html").read_bytes() == page.encode()


def test_exclusive_classes() -> None:
    rng = np.random.default_rng(1)
    truth = np.eye(4)[rng.integers(0, 3, 150)]  # nobody has the fourth
    probability = np.clip(0.5 * truth + rng.random((150, 4)), 0, None)
    probability /= probability.sum(axis=1, keepdims=True)
    report = Report(
        evidence={"metrics": {}, "policy": {"kind": "argmax"}, "meaning": {"classes": {}}, "protocol": {}},
        classes=("N", "A", "O", "~"),
        truth=truth,
        probability=probability,
        decisions=(probability == probability.max(axis=1, keepdims=True)).astype(np.int8),
    )
    text = " ".join(Reader(render(report)).text.split())
    assert "Decision curve: O" in text
    assert "Decision curve: ~" not in text
    for said in ("No epochs were recorded.", "Nothing was decided.", "The model has no card."):
        assert said in text


def test_rows_of_one_kind_give_no_curves_but_a_page() -> None:
    report = replace(small_report(), truth=np.zeros((3, 1)), probability=np.full((3, 1), 0.2))
    page = render(report)
    assert "No curves: no class has test rows with and without it." in page


def test_shapes_must_agree() -> None:
    with pytest.raises(FormatError, match=r"truth must be \(rows, classes\) = \(120, 1\), got \(120, 2\)"):
        replace(small_report(), truth=np.zeros((120, 2)), probability=np.zeros((120, 1)))


def test_without_jinja2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[report\]'"):
        render(small_report())


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="does not exist"):
        write_report(tmp_path / "none" / "report.html", small_report())


def test_what_the_network_looked_at_is_drawn_and_said() -> None:
    page = render(full_report())
    assert page.count('<path class="for l4"') == 1
    assert '<span class="raised">raised</span> or <span class="lowered">lowered</span> A</figcaption>' in page
    assert "Orange: what raised the score" in page
    plain = render(replace(full_report(), examples=full_report().examples[1:]))
    assert "Orange: what raised the score" not in plain


def test_the_style_lets_drawings_keep_their_own_colours() -> None:
    # An image's rectangles carry their colour as an attribute, which any rule for their element would beat.
    style = render(full_report())
    assert not re.search(r"\.paper path \{[^}]*fill", style)
