import pytest

from vicinal.inputs.datasets.own.parts import part_called


@pytest.mark.parametrize(
    ("word", "part"),
    [("train", "train"), (" Training ", "train"), ("VAL", "validation"), ("dev", "validation"), ("cal", "calibration"),
     ("Testing", "test"), ("unused", "unused"), ("ten", None), ("", None), ("11", None)],
)  # fmt: skip
def test_words_name_parts(word, part):
    assert part_called(word) == part
