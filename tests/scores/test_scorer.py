import numpy as np
import pytest

from vicinal.errors import ContractError, FormatError
from vicinal.scores.scorer import BATCH
from vicinal.signal import Signal


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(40, 101, n)
    x = rng.standard_normal((n, 2, 100)).astype(np.float32)
    for row, length in zip(x, lengths, strict=True):
        row[:, length:] = 0
    return x, lengths


def test_a_score_does_not_depend_on_its_batch_mates(model):
    scorer = model.scorer()
    x, lengths = rows(BATCH + 7)
    together = scorer.logits(x, lengths)

    for k in (0, 5, BATCH - 1, BATCH, BATCH + 6):
        assert scorer.logits(x[k : k + 1], lengths[k : k + 1]).tobytes() == together[k : k + 1].tobytes()
    order = np.random.default_rng(1).permutation(len(x))
    assert scorer.logits(x[order], lengths[order]).tobytes() == together[order].tobytes()


def test_signals_stream_through_in_batches(model):
    scorer, alive, most = model.scorer(), 0, 0

    def stream():
        nonlocal alive, most
        for k in range(2 * BATCH + 3):
            alive, most = k % BATCH + 1, max(most, k % BATCH + 1)
            yield Signal(
                np.ones((2, 100), np.float32) * k, ("I", "II"), ("mV", "mV"), 50.0, id=f"r{k}" if k else ""
            )

    ids, logits = scorer.signals(stream())
    assert ids[:2] == ["0", "r1"]
    assert logits.shape == (2 * BATCH + 3, 1)
    assert logits.dtype == np.float64


def test_channels_in_another_order_give_the_same_score(model):
    x, _ = rows(1)
    signal = Signal(x[0], ("I", "II"), ("mV", "mV"), 50.0, id="a")
    swapped = Signal(x[0][::-1].copy(), ("II", "I"), ("mV", "mV"), 50.0, id="a")

    assert model.score([signal]).logits.tobytes() == model.score([swapped]).logits.tobytes()


def test_one_signal_need_not_be_in_a_list(model):
    one = Signal(rows(1)[0][0], ("I", "II"), ("mV", "mV"), 50.0, id="a")
    assert model.score(one).logits.tobytes() == model.score([one]).logits.tobytes()


def test_nothing_to_score_is_an_empty_table(model):
    assert len(model.score([])) == 0


def test_rows_and_signals_of_another_shape_are_refused(model):
    x, lengths = rows(2)
    with pytest.raises(FormatError, match=r"expected rows of shape \(rows, 2, 100\) .* got \(2, 1, 100\)"):
        model.scorer().logits(x[:, :1], lengths)
    with pytest.raises(ContractError, match="missing II"):
        model.score([Signal(x[0][:1], ("I",), ("mV",), 50.0, id="a")])
    with pytest.raises(ContractError, match=r"expected signals, got ndarray\. Say what its channels"):
        model.score(x)
    with pytest.raises(FormatError, match="ids repeat"):
        model.score([Signal(x[0], ("I", "II"), ("mV", "mV"), 50.0, id="a")] * 2)
