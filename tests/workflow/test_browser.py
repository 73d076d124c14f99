"""The report in a real browser: nothing is asked for, nothing complains, nothing sticks out, everything is drawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser import Browser, open_browser
from tests.workflow.test_learning_events import TEXT as EVENTS
from tests.workflow.test_learning_events import write_record

from vicinal.inputs.datasets import mitdb
from vicinal.workflow.deciding import decide
from vicinal.workflow.evaluating import evaluate
from vicinal.workflow.running import run

WIDTHS = (1280, 390)
PLOTS = {"binary": 8, "classes": 10, "labels": 10, "events": 10, "evaluation": 5, "two": 5}
"""At least: loss and selection, ROC, precision-recall and calibration, and for each class its own; of a saved model
without those of training."""

HEADINGS = {
    "binary": ("Robustness", "What more data buy", "Policies this model has had"),
    "events": ("Alarms along the recordings", "What more data buy"),
    "evaluation": ("Subgroups", "Robustness"),
    "two": ("Two models on the same rows",),
}
"""What stands on a page and on no other of these."""

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
    """One report of each task, and of saved models on data of their own.

    The binary one has had two policies, with a refer band, and a learning curve; that of events aims at alarms per day.
    """
    folder = tmp_path_factory.mktemp("reports")
    found = {}
    for task, aim in (("binary", "sensitivity >= 0.8"), ("classes", "argmax"), ("labels", "f1")):
        text = experiment_file.read_text().replace("dense 1", "dense classes")
        if task != "binary":  # only a binary task has one class against the rest, and its prevalence
            text = text.replace('positive = ["disease"]\n', "").replace("prevalence = 0.1\n", "")
        file = folder / f"{task}.toml"
        file.write_text(text)
        overrides = [f'inputs.task="{task}"', f'decisions.aim="{aim}"', 'evidence.robustness=["shift"]']
        overrides += ["evidence.learning_curve=[0.4, 0.7]"] if task == "binary" else []
        found[task] = run(file, output=folder / task, overrides=overrides).folder / "report.html"
    decide(folder / "binary", aim="specificity >= 0.7", refer="share=0.2")
    other = run(experiment_file, output=folder / "other", overrides=["seed=5", "training.epochs=1"]).folder
    models, few = [folder / "binary", other], ["options.n_subjects=60"]
    asked = {"columns": ["condition"], "robustness": ["gain"]}
    evaluate(models[:1], data=experiment_file, overrides=few, output=folder / "one", resamples=100, **asked)
    evaluate(models, data=experiment_file, overrides=few, output=folder / "two", resamples=100)
    found |= {"evaluation": folder / "one" / "report.html", "two": folder / "two" / "report-a.html"}
    return found | {"events": _of_events(folder)}


def _of_events(folder: Path) -> Path:
    (folder / "mitdb").mkdir()
    for seed, name in enumerate((*mitdb.DS1[:10], *mitdb.DS2[:4], "202")):
        write_record(folder / "mitdb", name, seed)
    (folder / "events.toml").write_text(EVENTS)
    overrides = [
        "training.epochs=6", "evidence.learning_curve=[0.5]", "decisions.events={merge_s = 0.5, release = 0.8}",
        'decisions.aim="S: alarms <= 25000 per day; V: alarms <= 25000 per day"',
    ]  # fmt: skip
    made = run(folder / "events.toml", output=folder / "events", data=folder / "mitdb", overrides=overrides)
    return made.folder / "report.html"


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
    several = task in ("classes", "labels", "events")
    assert browser.run("document.querySelectorAll('svg.people').length") >= (2 if several else 1)
    assert browser.run("document.querySelectorAll('svg.paper').length") > 0
    if task not in ("evaluation", "two"):
        assert browser.run("document.querySelectorAll('svg.box').length") >= 5
    headings = browser.run("[...document.querySelectorAll('h2, h3')].map(one => one.innerText)")
    assert set(HEADINGS.get(task, ())) <= set(headings)


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
