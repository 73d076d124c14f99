import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.inputs import blocks
from vicinal.inputs.blocks import Blocks, filtered, framed, moments, pointwise, recorded, resampled
from vicinal.inputs.contract import Contract
from vicinal.inputs.filters import low_pass
from vicinal.inputs.mel import mel_filters
from vicinal.inputs.prepare import prepare
from vicinal.signal import Events, Signal

FILTERS = mel_filters(4, n_bins=17, rate_hz=100.0, low_hz=0.0, high_hz=50.0)


def of(samples):
    samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    return recorded(samples, rows=list(range(len(samples))), factors=[1.0] * len(samples))


def noise(n, n_channels=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n_channels, n)).astype(np.float32)


def marks(mask):
    return "".join("1" if mark else "0" for mark in mask)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(blocks, "_VALUES", 32)


def test_a_block_is_computed_when_it_is_read_and_once():
    computed = []

    def compute(start, stop):
        computed.append((start, stop))
        return np.arange(start, stop, dtype=np.float64)[None]

    counted = Blocks(1, 95, 10, compute, lambda start, stop: np.ones((1, stop - start), bool))
    assert counted.samples(38, 52)[0].tolist() == list(range(38, 52))
    assert counted.samples(90, 95)[0].tolist() == [90, 91, 92, 93, 94]
    assert counted.samples(45, 48)[0].tolist() == [45, 46, 47]
    assert computed == [(30, 40), (40, 50), (50, 60), (90, 95)]
    assert list(counted.spans(38, 52)) == [(38, 40), (40, 50), (50, 52)]


@given(
    st.lists(st.sampled_from([np.nan, 0.0, 1.0, 5.0]), min_size=1, max_size=200).filter(
        lambda values: not np.isnan(values).all()
    )
)
def test_missing_samples_are_a_straight_line_across_blocks(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_VALUES", 8)
        found = of(values)
        values = np.array(values)
        known = np.isfinite(values)
        expected = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
        np.testing.assert_allclose(found.samples(0, len(values))[0], expected, atol=1e-12)
        assert found.valid(0, len(values))[0].tolist() == known.tolist()


@pytest.mark.parametrize(
    ("valid", "ratio", "expected"),
    [
        ("111111111", Fraction(1, 3), "111"),
        ("111101111", Fraction(1, 3), "101"),
        ("101111111", Fraction(1, 3), "011"),
        ("101", Fraction(2), "110111"),
    ],
)
def test_a_resampled_position_is_marked_when_a_missing_sample_reaches_it_first(valid, ratio, expected):
    source = of([1.0 if mark == "1" else np.nan for mark in valid])
    found = resampled(source, ratio)
    assert marks(found.valid(0, found.n)[0]) == expected
    # Whatever span is asked for, the answer is the same.
    for start in range(found.n):
        assert marks(found.valid(start, found.n)[0]) == expected[start:]
        assert marks(found.valid(0, start + 1)[0]) == expected[: start + 1]


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 9), st.data())
def test_a_frame_with_a_missing_sample_is_marked(n, width, hop, data):
    lost = data.draw(st.sets(st.integers(0, n - 1), max_size=n - 1))
    found = framed(of([np.nan if k in lost else 1.0 for k in range(n)]), FILTERS, width=width, hop=hop)
    expected = [
        not any(p in lost for p in range(j * hop - width // 2, j * hop - width // 2 + width))
        for j in range(found.n)
    ]
    assert found.valid(0, found.n).tolist() == [expected] * 4
    assert found.valid(found.n // 2, found.n)[0].tolist() == expected[found.n // 2 :]


@pytest.mark.usefixtures("small")
def test_moments_are_those_of_numpy():
    samples = noise(300, 2) * 3 + 7
    samples[0, 10:50] = np.nan
    mean, spread = moments(of(samples))
    assert mean[:, 0].tolist() == pytest.approx([np.nanmean(samples[0]), samples[1].mean()])
    assert spread[:, 0].tolist() == pytest.approx([np.nanstd(samples[0]), samples[1].std()], rel=1e-6)


def test_moments_of_a_constant_channel_have_no_end_and_nothing_valid_counts_all():
    constant = of(np.full(50, 0.1))
    assert moments(constant)[1].tolist() == [[np.inf]]
    source = of([0.0, 2.0])
    blind = Blocks(1, 2, 2, source.compute, lambda start, stop: np.zeros((1, stop - start), bool))
    assert [values.tolist() for values in moments(blind)] == [[[1.0]], [[1.0]]]


@pytest.mark.usefixtures("small")
def test_pointwise_changes_samples_and_leaves_the_mask():
    changed = pointwise(of([1.0, np.nan, 3.0]), lambda samples: -samples)
    assert changed.samples(0, 3)[0].tolist() == [-1, -2, -3]
    assert changed.valid(0, 3)[0].tolist() == [True, False, True]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("make", "reach"),
    [
        (lambda source: filtered(source, low_pass(20.0, width_hz=20.0, rate_hz=100.0)), 9),
        (lambda source: resampled(source, Fraction(2, 3)), 16),
        (lambda source: framed(source, FILTERS, width=24, hop=7), 12),
    ],
)
def test_a_position_knows_only_its_neighbourhood_as_in_a_stream(make, reach):
    samples = noise(400)
    whole = make(of(samples))
    for j in (0, whole.n // 3, whole.n - 1):
        centre = j * 400 / whole.n
        changed = samples.copy()
        changed[0, : max(round(centre) - reach - 8, 0)] = 9.0
        changed[0, round(centre) + reach + 8 :] = -9.0
        np.testing.assert_allclose(
            make(of(changed)).samples(j, j + 1), whole.samples(j, j + 1), rtol=1e-9, atol=1e-9
        )


RATES = st.sampled_from([75.0, 100.0, 128.0, 250.0])
MIDDLE = st.lists(
    st.sampled_from(
        [
            {"step": "high_pass", "cutoff_hz": 2.0},
            {"step": "low_pass", "cutoff_hz": 30.0},
            {"step": "notch", "frequency_hz": 25.0, "width_hz": 4.0},
            {"step": "clip", "limit": 1.5},
            {"step": "scale", "by": "constant", "centre": 0.1, "spread": 2.0},
            {"step": "scale", "by": "recording"},
            {"step": "resample"},
        ]
    ),
    max_size=4,
    unique_by=lambda step: step["step"],
)
END = st.sampled_from(
    [
        [],
        [{"step": "log_mel", "n_mels": 4, "window_s": 0.32, "hop_s": 0.05}],
        [
            {"step": "log_mel", "n_mels": 4, "window_s": 0.1, "hop_s": 0.03},
            {"step": "scale", "by": "recording"},
        ],
    ]
)


@given(
    n=st.integers(30, 500), rate_hz=RATES, middle=MIDDLE, end=END,
    where=st.sampled_from(["start", "centre", "end"]), duration_s=st.sampled_from([0.5, 1.0, 3.0]),
    gap=st.tuples(st.integers(0, 400), st.integers(0, 40)),
)  # fmt: skip
def test_small_blocks_give_what_one_block_gives_under_every_combination(
    n, rate_hz, middle, end, where, duration_s, gap
):
    if {"step": "resample"} not in middle:
        middle = [{"step": "resample"}, *middle]
    steps = [*middle, *end, {"step": "crop", "where": where}]
    contract = Contract(
        channels=("a", "b"), rate_hz=100.0, duration_s=duration_s, units="1", missing=0.99, steps=steps
    )
    samples = noise(n, 2, seed=n)
    samples[1, gap[0] : gap[0] + gap[1]] = np.nan
    samples[1, n // 2] = 1.0
    events = Events(np.arange(0, n, 7), ("x",) * len(range(0, n, 7)))
    given_signal = Signal(samples, ("a", "b"), ("1", "1"), rate_hz, events=events)
    one = prepare(given_signal, contract)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_VALUES", 64)
        many = prepare(given_signal, contract)
    np.testing.assert_allclose(many.samples, one.samples, rtol=1e-5, atol=1e-5)
    assert many.valid.tolist() == one.valid.tolist()
    assert (many.length, many.offset) == (one.length, one.offset)
    found = one.event_positions
    assert found is not None
    assert many.event_positions is not None
    assert many.event_positions.tolist() == found.tolist()
    assert found.max() < one.length
    # An event lies at the position of its second, but for a rounding to each grid and for the last position.
    rate, inside = contract.position_rate_hz, found >= 0
    apart = (one.offset + found) / rate - events.positions / rate_hz
    assert np.abs(apart[inside]).max(initial=0) <= 0.5 / 100 + 1.5 / rate
    assert not one.samples[:, one.length :].any()
    assert not one.valid[one.length :].any()


@pytest.mark.slow
@pytest.mark.parametrize(("hours", "duration_s", "shares"), [(48, 30.0, 0), (24, 24 * 3600.0, 2)])
def test_two_days_need_no_more_memory_than_three_times_their_samples(hours, duration_s, shares):
    samples = np.tile(noise(250 * 60), (1, hours * 60))
    steps = [{"step": "high_pass", "cutoff_hz": 0.5}, {"step": "scale", "by": "recording"}]
    contract = Contract(channels=("II",), rate_hz=250.0, duration_s=duration_s, units="mV", steps=steps)
    tracemalloc.start()
    prepared = prepare(Signal(samples, ("II",), ("mV",), 250.0), contract)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert prepared.samples.shape == contract.input_shape
    # The signal itself is the first of the three, what leaves is another; of a short crop it is nothing.
    assert peak <= shares * samples.nbytes + 64 * 2**20
