import pytest

from vicinal.errors import FormatError
from vicinal.evidence.report.amendment import amend

PAGE = '<header>\n<h1>x</h1>\n<div class="headline">\n</div>\n</header>'
COUNT = {"value": 20.0, "low": 10.0, "high": 30.0}
EVIDENCE = {
    "protocol": {"decided_by": "vicinal decide <x> --aim f1"},
    "policy": {"aim": "f1", "classes": ["A<b>"], "thresholds": [0.25]},
    "meaning": {
        "sentence": "Of 1,000 people <all> are well.", "found": COUNT, "missed": COUNT | {"value": 0.5},
        "false_alarms": COUNT, "referred": COUNT | {"value": 0.0},
    },
}  # fmt: skip


def test_the_box_tells_of_the_policy_in_words_and_dots_and_runs_no_text_as_html() -> None:
    page = amend(PAGE, EVIDENCE)
    assert "<code>vicinal decide &lt;x&gt; --aim f1</code>" in page
    assert "<p>Of 1,000 people &lt;all&gt; are well.</p>" in page
    assert "Threshold: A&lt;b&gt; 0.25." in page
    assert '<svg class="people"' in page
    assert "20 found<small>10 to 30</small>" in page
    assert "0.5 missed" in page
    assert "referred<small>" not in page  # nobody is
    assert page.index("<h1>") < page.index("decided again") < page.index('"headline"')


def test_a_second_box_takes_the_place_of_the_first() -> None:
    assert amend(amend(PAGE, EVIDENCE), EVIDENCE) == amend(PAGE, EVIDENCE)


def test_several_classes_have_words_and_no_dots() -> None:
    several = EVIDENCE | {"meaning": {"classes": {}, "sentence": "Of 1,000 people ..."}}
    assert "<svg" not in amend(PAGE, several)


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(FormatError, match="expected a report that"):
        amend("<p>mine</p>", EVIDENCE)
