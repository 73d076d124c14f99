"""The report in a real browser: nothing is asked for, nothing complains, nothing sticks out, everything is drawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser import Browser, open_browser

from vicinal.workflow.deciding import decide
from vicinal.workflow.running import run

WIDTHS = (1280, 390)
PLOTS = {"binary": 7, "classes": 10, "labels": 10}
"""At least: loss and selection, ROC, precision-recall and calibration, and for each class its own."""

CUT = """
[...document.querySelectorAll('body *')].filter(one => {
  const box = one.getBoundingClientRect();
  return box.right > document.documentElement.clientWidth + 1 && !one.closest('.scroll, .strip, pre, nav');
}).map(one => one.outerHTML.slice(0, 80))
"""
TEXT = """
[...document.querySelectorAll('svg.plot')].flatMap(plot => {
  const frame = plot.getBoundingClientRect();
  return [...plot.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
      || box.bottom > frame.bottom + 1;
  }).map(text => plot.getAttribute('aria-label') + ': ' + text.textContent);
})
"""
SMALL = """
[...document.querySelectorAll('p, td, th, li, dd, dt, figcaption, .note')]
  .filter(one => one.innerText && parseFloat(getComputedStyle(one).fontSize) < 12)
  .map(one => one.outerHTML.slice(0, 80))
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, experiment_file: Path) -> dict[str, Path]:
    """One report of each task; the binary one has had two policies, with a refer band."""
    folder = tmp_path_factory.mktemp("reports")
    found = {}
    for task, aim in (("binary", "sensitivity >= 0.8"), ("classes", "argmax"), ("labels", "f1")):
        text = experiment_file.read_text().replace("dense 1", "dense classes")
        if task != "binary":  # only a binary task has one class against the rest, and its prevalence
            text = text.replace('positive = ["disease"]\n', "").replace("prevalence = 0.1\n", "")
        file = folder / f"{task}.toml"
        file.write_text(text)
        overrides = [f'inputs.task="{task}"', f'decisions.aim="{aim}"', 'evidence.robustness=["shift"]']
        found[task] = run(file, output=folder / task, overrides=overrides).folder / "report.html"
    decide(folder / "binary", aim="specificity >= 0.7", refer="share=0.2")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("task", list(PLOTS))
def test_a_report_in_a_browser(browser: Browser, reports: dict[str, Path], task: str, width: int) -> None:
    page = reports[task]
    seen = browser.open(page, width=width)
    assert seen.requests == [page.resolve().as_uri()]  # itself, and nothing else
    assert seen.complaints == []
    assert seen.width == width
    assert seen.full_width <= width
    assert browser.run(CUT) == []
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(CUT) == []
    sizes = browser.run(
        "[...document.querySelectorAll('svg.plot')].map(p => [p.clientWidth, p.clientHeight, p.innerHTML.length])"
    )
    assert len(sizes) >= PLOTS[task]
    for drawn_width, drawn_height, n_letters in sizes:
        assert drawn_width > min(300, 0.7 * width)
        assert drawn_height > 0.6 * drawn_width
        assert n_letters > 1000
    assert browser.run(TEXT) == []
    assert browser.run(SMALL) == []
    assert browser.run("document.querySelectorAll('svg.people').length") >= (1 if task == "binary" else 2)
    assert browser.run("document.querySelectorAll('svg.paper').length") > 0
    assert browser.run("document.querySelectorAll('svg.box').length") >= 5


@pytest.mark.slow
def test_the_browser_test_sees_what_it_should(
    browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    """Each fault, planted in a report, is found."""
    text = reports["binary"].read_text()
    bad = tmp_path / "bad.html"
    bad.write_text(text.replace("</h1>", '</h1><img src="https://example.org/x.png">', 1))
    assert browser.open(bad, width=390).complaints != []  # the page's own policy forbids it, and says so
    bad.write_text(
        text.replace("<meta http-equiv", "<meta name", 1).replace("</h1>", '</h1><img src="x.png">', 1)
    )
    assert len(browser.open(bad, width=390).requests) == 2
    bad.write_text(text.replace("</h1>", '</h1><div style="width:600px">wide</div>', 1))
    assert browser.open(bad, width=390).full_width > 390
    assert browser.run(CUT) != []
    bad.write_text(
        text.replace("<meta http-equiv", "<meta name", 1).replace("</h1>", "</h1><script>x()</script>", 1)
    )
    assert "x is not defined" in str(browser.open(bad, width=390).complaints)
    bad.write_text(text.replace("</h1>", '</h1><p style="font-size:8px">tiny</p>', 1))
    browser.open(bad, width=390)
    assert browser.run(SMALL) != []
    assert browser.run(TEXT) == []
    browser.run("document.querySelector('svg.plot text').setAttribute('transform', 'translate(-90 0)')")
    assert len(browser.run(TEXT)) == 1
