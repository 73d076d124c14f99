import re

import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets import store
from vicinal.inputs.datasets.published import PUBLISHED, PublishedFile, wanted_files

SUM, OTHER = "0" * 64, "1" * 64


def wanted(text: str, name: str = "cinc2017", rate_hz: int | None = None) -> list[PublishedFile]:
    return wanted_files(text.encode(), name, rate_hz=rate_hz, where="here/SHA256SUMS.txt")


def test_wanted_files_are_stored_side_by_side_unless_they_keep_their_tree() -> None:
    text = f"{SUM} training/A00/A00001.mat\n{OTHER} *./REFERENCE-v3.csv\r\n{SUM} sample/A00001.mat\n"
    assert wanted(text) == [
        PublishedFile("training/A00/A00001.mat", "A00001.mat", SUM),
        PublishedFile("REFERENCE-v3.csv", "REFERENCE-v3.csv", OTHER),
    ]
    low, high = "records100/00000/00001_lr.dat", "records500/00000/00001_hr.dat"
    text = f"{SUM} {low}\n{SUM} {high}\n"
    assert wanted(text, "ptbxl") == wanted(text, "ptbxl", 100) == [PublishedFile(low, low, SUM)]
    assert wanted(text, "ptbxl", 500) == [PublishedFile(high, high, SUM)]


def test_a_list_as_long_as_that_of_ptbxl_is_taken() -> None:
    text = "".join(
        f"{SUM} records{rate}/{k // 1000 * 1000:05d}/{k:05d}_{end}.{kind}\n"
        for k in range(1, 21_800)
        for rate, end in ((100, "lr"), (500, "hr"))
        for kind in ("dat", "hea")
    )
    assert len(wanted(text, "ptbxl")) == 2 * 21_799


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "here/SHA256SUMS.txt lists no file of cinc2017"),
        (f"{SUM} training/../../A00001.mat", "leads out of its folder"),
        (f"{SUM} training/A00001.mat\n{OTHER} training/A00/A00001.mat", "listed twice"),
        ("<html>404</html>", "lists no file"),
        (f"{SUM[:-1]} training/A00001.mat", "lists no file"),
    ],
)
def test_a_list_is_not_trusted(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        wanted(text)


def test_unknown_sets_and_rates_are_said() -> None:
    with pytest.raises(
        PathError, match="no public data set 'nope' to fetch; there are cinc2017, mitdb, ptbxl"
    ):
        wanted("", "nope")
    with pytest.raises(ExperimentError, match="mitdb is not published at 500 Hz; it has one rate"):
        wanted("", "mitdb", 500)


def test_every_published_set_can_be_found_again() -> None:
    for name, published in PUBLISHED.items():
        assert name in store.MARKERS
        assert published.url.startswith("https://")
        assert published.url.endswith("/")
        for pattern in (published.wanted, *published.at_rate.values()):
            assert re.compile(pattern)
