import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.edf_annotations import annotations_in, record_onset

TIME = b"+0\x14\x14\0"


def test_lists_of_texts_with_one_onset() -> None:
    data = TIME + b"+1.5\x150.2\x14V\x14paced\x14\0-0.5\x14start\x14\0\0\0"
    assert annotations_in(data, where="r") == [(1.5, "V"), (1.5, "paced"), (-0.5, "start")]
    assert record_onset(b"+12.25\x14\x14\0", where="r") == 12.25


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(TIME + b"+1\x14V", "does not", id="75-unterminated"),
        pytest.param(TIME + b"+1\x14V\0\0", "does not", id="75-no mark after the text"),
        pytest.param(b"1.5\x14V\x14\0", "expected an annotation such as", id="no sign"),
        pytest.param(b"+nan\x14V\x14\0", "expected an annotation such as", id="nan"),
        pytest.param(b"+1\x15x\x14V\x14\0", "expected an annotation such as", id="duration"),
        pytest.param(b"+1\x14\xff\x14\0", "in UTF-8", id="not text"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        annotations_in(data, where="r.edf, record 0")


@pytest.mark.parametrize("data", [b"", b"+1\x14V\x14\0"])
def test_a_record_states_its_time_first(data: bytes) -> None:
    with pytest.raises(FormatError, match="the record's own time first"):
        record_onset(data, where="r")
