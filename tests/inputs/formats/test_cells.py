import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError
from vicinal.inputs.formats import cells
from vicinal.inputs.formats.cells import head_of, parse_numbers, read_blocks


def numbers(path, names, texts=()):
    blocks = list(read_blocks(path, head_of(path), names=names, texts=texts))
    return np.concatenate([block.numbers for block in blocks]), [
        [text for block in blocks for text in block.texts[k]] for k in range(len(texts))
    ]


@pytest.mark.parametrize(
    ("line", "found", "separator", "is_header"),
    [
        ("a,b", ("a", "b"), ",", True),
        ("1,2", ("1", "2"), ",", False),
        ("1\tnan\t", ("1", "nan", ""), "\t", False),
        ("1;NA", ("1", "NA"), ";", False),
        ("0,1,2", ("0", "1", "2"), ",", True),
        (",0,1", ("", "0", "1"), ",", True),
        ("0,1", ("0", "1"), ",", False),
        ("0.0,1.0,2.0", ("0.0", "1.0", "2.0"), ",", False),
        ('"a,b",c', ("a,b", "c"), ",", True),
        ("1_000", ("1_000",), ",", True),
    ],
)
def test_the_first_line_says_how_the_table_is_written(tmp_path, line, found, separator, is_header):
    (tmp_path / "r.csv").write_text("\ufeff" + line + "\n")
    head = head_of(tmp_path / "r.csv")
    assert (head.cells, head.separator, head.is_header) == (found, separator, is_header)


@given(
    st.lists(
        st.lists(st.none() | st.floats(width=32, allow_infinity=False), min_size=3, max_size=3), min_size=1
    ),
    st.sampled_from([1, 7, 64]),
)
def test_any_blocks_give_the_numbers_written(tmp_path_factory, rows, size):
    path = tmp_path_factory.mktemp("cells") / "r.csv"
    path.write_text(
        "a,b,c\n" + "".join(",".join("" if v is None else repr(v) for v in row) + "\n" for row in rows)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "_BLOCK", size)
        found, _ = numbers(path, ["a", "b", "c"])
    np.testing.assert_array_equal(found, np.array(rows, dtype=float))


def test_texts_keep_separators_quotes_and_spaces_within(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text('y,a,z\n"A, B",1, c d \n"say ""x""","2",\n,,NA\n')
    found, texts = numbers(path, ["y", "a", "z"], texts=(0, 2))
    np.testing.assert_array_equal(found[:, 1], [1, 2, np.nan])
    assert texts == [["A, B", 'say "x"', ""], ["c d", "", "NA"]]


@pytest.mark.parametrize(
    ("cells", "n", "expected"),
    [
        (b"1\n\n-.5e1\n", 3, [1, np.nan, -5]),
        (b"1\r\n2", 2, [1, 2]),
        (b"1\r2\n", 1, None),
        (b"1_0\n", 1, None),
        (b"0x10\n", 1, None),
        (b"1\x1f2\n", 1, None),
    ],
)
def test_numbers_of_lines(cells, n, expected):
    found = parse_numbers(cells, n=n)
    assert (found is None) == (expected is None)
    if expected is not None:
        np.testing.assert_array_equal(found, expected)


def test_a_fault_behind_many_blocks_has_its_line(tmp_path):
    (tmp_path / "r.csv").write_text("a,b\n" + "1.25,2.25\n" * 300_000 + "\n1,x\n")
    with pytest.raises(
        FormatError, match="line 300003, column b: expected a number or an empty cell, got 'x'"
    ):
        numbers(tmp_path / "r.csv", ["a", "b"])


def test_a_line_longer_than_any_table_has_is_refused(tmp_path):
    (tmp_path / "r.csv").write_text("a,b\n1,2\n" + "1" * (10 << 20))
    with pytest.raises(FormatError, match="lines of at most 4194304 bytes"):
        numbers(tmp_path / "r.csv", ["a", "b"])
