"""The script is run by a browser alone; held here is that it finds what the page has, and makes no markup."""

import re

import numpy as np

from vicinal.representations.inspection import inspect
from vicinal.scores.inspection_page import draw_page
from vicinal.scores.inspection_script import SCRIPT, STYLE


def test_what_the_script_looks_for_is_on_the_page():
    found = inspect("conv 2 window 5 | mean | dense 1", input_shape=(1, 50), rate_hz=100)
    page = draw_page(found, np.ones((1, 50)), about="a signal").partition("<script>")[0]
    for name in re.findall(r'getElementById\("(\w+)"\)', SCRIPT):
        assert f'id="{name}"' in page
    assert {"said", "window", "data"} <= set(re.findall(r'getElementById\("(\w+)"\)', SCRIPT))
    for key in set(re.findall(r"data\.(\w+)", SCRIPT)):
        assert f'"{key}":' in page
    for name in re.findall(r"\.(stage|band|card|cards|gives|units|picture|ends|totals)\b", SCRIPT):
        assert f".{name}" in STYLE


def test_the_script_makes_text_and_fetches_nothing():
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "fetch",
        "XMLHttp",
        "import",
        "http",
    ):
        assert word not in SCRIPT
        assert word not in STYLE
