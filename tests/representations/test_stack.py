import pytest

from vicinal.errors import NetworkError
from vicinal.representations.families import FAMILIES, text_at
from vicinal.representations.network import sketch
from vicinal.representations.presets import NETWORKS
from vicinal.representations.stack import stack_of


def test_blocks_begin_with_weights_and_the_head_where_positions_end() -> None:
    stack = stack_of(
        "conv 8 window 5 | norm | relu | residual 8 window 5 stride 2 * 2 | mean | dense 9 | relu | dense 1"
    )
    assert [" | ".join(map(str, block)) for block in stack.blocks] == [
        "conv 8 window 5 | norm | relu",
        "residual 8 window 5 stride 2",
        "residual 8 window 5",
    ]
    assert " | ".join(map(str, stack.head)) == "mean | dense 9 | relu | dense 1"
    assert stack.ends() == (3, 4, 5)
    assert stack.cut(2) == (
        "conv 8 window 5 | norm | relu | residual 8 window 5 stride 2 | mean | dense 9 | relu | dense 1"
    )


def test_dense_layers_are_cut_too() -> None:
    assert stack_of("dense 9 | relu | dense 5 | relu | dense 1").cut(1) == "dense 9 | relu | dense 1"


def test_a_final_norm_stays_final() -> None:
    stack = stack_of("conv 8 window 4 stride 4 | transformer 8 heads 2 * 3 | norm layer | mean | dense 1")
    assert stack.cut(2) == ("conv 8 window 4 stride 4 | transformer 8 heads 2 | norm layer | mean | dense 1")


def test_pooling_in_windows_belongs_to_its_block() -> None:
    stack = stack_of(
        "inception 8 window 20 | max window 2 stride 2 same | inception 8 window 20 | mean | dense 1"
    )
    assert stack.cut(1) == "inception 8 window 20 | max window 2 stride 2 same | mean | dense 1"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_cut_of_a_family_is_a_network_and_the_last_is_the_whole(name: str) -> None:
    text = text_at(name, FAMILIES[name].step, (1, 100))
    stack = stack_of(text)
    for k in range(1, len(stack.blocks) + 1):
        sketch(stack.cut(k), input_shape=(1, 100), n_outputs=2)
    whole = sketch(text, input_shape=(1, 100), n_outputs=2)
    assert (
        sketch(stack.cut(len(stack.blocks)), input_shape=(1, 100), n_outputs=2).stage_texts
        == whole.stage_texts
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_every_preset_has_a_stack(name: str) -> None:
    assert stack_of(name).cut(1)


def test_no_more_blocks_than_there_are() -> None:
    with pytest.raises(NetworkError, match="expected 1 to 1 blocks to cut to, got 2"):
        stack_of("conv 8 window 5 | mean | dense 1").cut(2)
