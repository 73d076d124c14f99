import dataclasses
import xml.etree.ElementTree as ET

import pytest

from vicinal.training.range_picture import FORMATS, range_picture
from vicinal.training.range_test import RangeTest

TEST = RangeTest((1e-4, 1e-3, 1e-2, 1e-1), (1.0, 0.9, 0.4, 0.8), (1.0, 0.8, 0.5, 0.7), 2e-3, "because")


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_test_gives_the_same_bytes(kind: str) -> None:
    picture = range_picture(TEST, kind=kind)
    assert picture == range_picture(TEST, kind=kind)
    assert picture != range_picture(dataclasses.replace(TEST, suggested=1e-2), kind=kind)


def test_the_svg_says_what_is_suggested() -> None:
    tree = ET.fromstring(range_picture(TEST, kind=".svg"))
    texts = {"".join(one.itertext()).strip() for one in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {"2.0e-03", "learning rate", "training loss", "each step"} <= texts
    tree = ET.fromstring(range_picture(dataclasses.replace(TEST, suggested=None), kind=".svg"))
    assert "2.0e-03" not in "".join(tree.itertext())


def test_the_png_is_one() -> None:
    assert range_picture(TEST, kind=".png").startswith(b"\x89PNG")
