import pytest

from vicinal.errors import ExperimentError
from vicinal.workflow.inspecting import inspect, parse_shape


def test_shapes_are_parsed() -> None:
    assert parse_shape("12x1000@100") == ((12, 1000), 100.0)
    assert parse_shape("1x100") == ((1, 100), None)
    assert parse_shape("3x64x48") == ((3, 64, 48), None)


@pytest.mark.parametrize("text", ["", "100", "12x", "x100", "12x1000@", "a x b", "12x1000@-1"])
def test_other_shapes_are_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="expected CHANNELSxPOINTS@HZ"):
        parse_shape(text)


def test_the_preset_of_the_design_is_counted() -> None:
    found = inspect("resnet1d", shape="12x1000@100", n_outputs=5)
    assert found.parameters == 2_945_157
    assert round(2 * found.multiply_adds / 1e9, 3) == 0.703
