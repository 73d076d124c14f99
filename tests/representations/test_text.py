"""The network text: parsing, printing, and errors that point at the word."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from vicinal.errors import NetworkError
from vicinal.representations.text import KINDS, Kind, Plan, Stage, parse

FOUNDING = "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1"


@st.composite
def stages(draw: st.DrawFn) -> tuple[Any, ...]:
    name = draw(st.sampled_from(sorted(KINDS)))
    kind: Kind = KINDS[name]
    count = st.integers(1, 1_000_000)
    units: object = None
    if kind.units == "share":
        units = draw(st.integers(0, 999).map(lambda n: n / 1000))
    elif kind.units is not None:
        units = draw(st.one_of(count, st.just("classes")) if "classes" in kind.units else count)
    both_axes = st.one_of(count, st.tuples(count, count))
    keys = set(kind.needs) | draw(st.sets(st.sampled_from(kind.keys or ("",))))
    chosen = draw(st.sets(st.sampled_from(kind.flags or ("",))))
    exclusive = [word for word in kind.one_of if word in chosen or word in keys][1:]
    if "window" in kind.keys and not kind.needs and (chosen or keys):
        keys.add("window")
    sizes = tuple(
        (key, draw(both_axes if key in ("window", "stride", "dilation") else count))
        for key in kind.keys
        if key in keys and key not in exclusive
    )
    flags = tuple(flag for flag in kind.flags if flag in chosen and flag not in exclusive)
    return name, units, sizes, flags, draw(st.integers(1, 20))


@given(st.lists(stages(), min_size=1, max_size=8))
def test_printing_and_parsing_again_is_the_identity(found: list[tuple[Any, ...]]) -> None:
    plan = Plan(tuple(Stage(*fields) for fields in found))
    assert parse(str(plan)) == plan


@given(st.text(alphabet=st.sampled_from(" |\n#*x.019-denscovwilarm"), max_size=60))
def test_any_text_gives_a_plan_or_a_network_error(text: str) -> None:
    try:
        plan = parse(text)
    except NetworkError:
        return
    assert parse(str(plan)) == plan


def test_a_plan_is_plain_data() -> None:
    plan = parse(
        "conv 64 stride 2 window 7 same  # the stem\n\nnorm | dropout .5\n residual 64 window 5 * 2 "
    )
    assert plan == Plan(
        (
            Stage("conv", 64, (("window", 7), ("stride", 2)), ("same",)),
            Stage("norm"),
            Stage("dropout", 0.5),
            Stage("residual", 64, (("window", 5),), (), 2),
        )
    )
    assert str(plan) == "conv 64 window 7 stride 2 same | norm | dropout 0.5 | residual 64 window 5 * 2"


@pytest.mark.parametrize(
    ("text", "stage", "printed"),
    [
        (
            "attention 8 window 3x5 heads 2",
            Stage("attention", 8, (("heads", 2), ("window", (3, 5)))),
            "attention 8 heads 2 window 3x5",
        ),
        (
            "transformer 8 heads 2 window 3 * 2",
            Stage("transformer", 8, (("heads", 2), ("window", 3)), (), 2),
            "transformer 8 heads 2 window 3 * 2",
        ),
        (
            "attention 8 causal window 5 heads 2",
            Stage("attention", 8, (("heads", 2), ("window", 5)), ("causal",)),
            "attention 8 heads 2 window 5 causal",
        ),
    ],
)
def test_a_window_of_attention_is_read_and_printed(text: str, stage: Stage, printed: str) -> None:
    plan = parse(text)
    assert plan == Plan((stage,))
    assert str(plan) == printed
    assert parse(printed) == plan


def test_a_bar_may_stand_beside_a_line_break() -> None:
    assert parse("relu |\nnorm\n| gelu") == parse("relu | norm | gelu") == parse("relu\nnorm\n\ngelu\n")


def test_the_stride_of_a_repeated_stage_holds_once() -> None:
    unrolled = [(n, str(stage)) for n, stage in parse("relu | residual 8 window 5 stride 2 * 3").unrolled()]
    assert unrolled == [
        (1, "relu"),
        (2, "residual 8 window 5 stride 2"),
        (2, "residual 8 window 5"),
        (2, "residual 8 window 5"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "conv 8 window 3 | relu | conv 64 windw 7",
            r"stage 3, 'windw': unknown key, did you mean 'window'\?",
        ),
        ("cnv 8 window 3", r"stage 1, 'cnv': unknown kind, did you mean 'conv'\?"),
        ("lsmt 64 both", r"stage 1, 'lsmt': unknown kind, did you mean 'lstm'\?"),
        ("attention 8", "stage 1: attention needs 'heads' and a number"),
        ("attention 8 heads 2x2", "stage 1, 'heads': expected a whole number"),
        ("norm batch group 4", "stage 1, 'group': cannot stand with 'batch'"),
        ("relu | zzz 3", "stage 2, 'zzz': unknown kind, known here: dense, local"),
        ("", "the network text is empty"),
        (" # nothing\n\n", "the network text is empty"),
        ("relu || relu", "stage 2: empty"),
        ("relu |\n| relu", "stage 2: empty"),
        ("| relu", "stage 1: empty"),
        ("relu |\n", "stage 2: empty"),
        ("conv window 5", "stage 1: conv needs a number of units or 'classes' first"),
        ("conv 8", "stage 1: conv needs 'window' and a number"),
        ("conv 0 window 5", "stage 1, '0': expected a number of units"),
        (
            "conv 8 window 0",
            "stage 1, 'window': expected a whole number from 1 to 1,000,000 after it, got '0'",
        ),
        ("conv 8 window 5 stride -1", "stage 1, 'stride': .* got '-1'"),
        ("conv 8 window", "stage 1, 'window': expected a whole number"),
        ("conv 8 window 3x3x3", "got '3x3x3'"),
        (f"conv {'9' * 5000} window 3", "stage 1, '9999"),
        ("conv 8 window 5 window 7", "stage 1, 'window': stands twice"),
        ("conv 8 window 5 same causal", "stage 1, 'causal': cannot stand with 'same'"),
        ("conv 8 window 5 same same", "stage 1, 'same': stands twice"),
        (
            "residual 8 window 5 same",
            "stage 1, 'same': unknown key, known here: window, stride, dilation, causal",
        ),
        ("residual classes window 5", "stage 1, 'classes': expected a number of units"),
        ("dense clases", r"stage 1, 'clases': .* did you mean 'classes'\?"),
        ("relu 5", "stage 1, '5': relu takes no units"),
        ("dropout 1.0", "stage 1, '1.0': expected a share from 0 to below 1"),
        ("dropout", "stage 1: dropout needs a share"),
        ("mean stride 2", "stage 1: mean needs 'window'"),
        ("relu * 0", r"stage 1, '\*': expected one whole number"),
        ("relu * 2 3", r"stage 1, '\*': expected one whole number"),
        ("relu * 1999 | relu * 2", "2,001 stages when repeats are counted; at most 2,000"),
        ("#" * 200_000, "200,000 characters"),
        ("relu\x00\x1b[31m", "stage 1, 'relu\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.31m'"),
    ],
)
def test_errors_point_at_the_word(text: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        parse(text)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(
        NetworkError, match=r"(?s)stage 1, 'windw'.*stage 2: empty.*stage 3, 'dens'"
    ) as caught:
        parse("conv 8 windw 5 | | dens 1")
    assert len(str(caught.value).splitlines()) == 3
