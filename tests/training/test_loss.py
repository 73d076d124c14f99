import math

import numpy as np
import pytest
import torch

from vicinal.errors import TrainingError
from vicinal.training.loss import balanced_weights, make_loss


def value(loss, logits, truth):
    return float(loss(torch.tensor(logits), torch.tensor(truth)))


def test_sigmoid_loss_by_hand():
    # -log(sigmoid(0)) = log 2 for the positive row, -log(1 - sigmoid(log 3)) = log 4 for the negative one.
    logits, truth = [[0.0], [math.log(3)]], [[1.0], [0.0]]

    assert value(make_loss("binary"), logits, truth) == pytest.approx((math.log(2) + math.log(4)) / 2)
    weighted = make_loss("binary", weights=torch.tensor([3.0]))
    assert value(weighted, logits, truth) == pytest.approx((3 * math.log(2) + math.log(4)) / 2)


def test_softmax_loss_by_hand():
    logits, truth = [[0.0, math.log(3)], [0.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]

    assert value(make_loss("classes"), logits, truth) == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    weighted = make_loss("classes", weights=torch.tensor([3.0, 1.0]))
    assert value(weighted, logits, truth) == pytest.approx((math.log(4 / 3) + 3 * math.log(2)) / 4)


def test_smoothing_by_hand():
    # Truth 1 becomes 0.9 and 0.1 for both kinds of loss with two values.
    expected = 0.9 * math.log(4 / 3) + 0.1 * math.log(4)

    assert value(make_loss("labels", smoothing=0.2), [[math.log(3)]], [[1.0]]) == pytest.approx(expected)
    smooth = make_loss("classes", smoothing=0.2)
    assert value(smooth, [[0.0, math.log(3)]], [[0.0, 1.0]]) == pytest.approx(expected)


def test_the_loss_is_float32_for_logits_in_bfloat16():
    loss = make_loss("binary")(torch.zeros(2, 1, dtype=torch.bfloat16), torch.ones(2, 1))

    assert loss.dtype == torch.float32


def test_balanced_weights_by_hand():
    truth = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], dtype=np.float32)

    assert balanced_weights(truth[:, :1], task="binary").tolist() == [3.0]
    assert balanced_weights(truth, task="classes").tolist() == pytest.approx([2.0, 4 / 6])


def test_what_has_no_loss_is_refused():
    with pytest.raises(TrainingError, match="got 'beats'"):
        make_loss("beats")
    with pytest.raises(TrainingError, match="positive rows: 0 of 3"):
        balanced_weights(np.zeros((3, 1), dtype=np.float32), task="binary")


def test_focal_loss_by_hand():
    # p = 3/4 for the truth: (1/4)^2 log(4/3); p = 1/4: (3/4)^2 log 4; gamma 2.
    sure, unsure = math.log(4 / 3) / 16, 9 * math.log(4) / 16
    x = math.log(3)

    for task in ("binary", "labels"):
        focal = make_loss(task, gamma=2.0)
        assert value(focal, [[x], [x]], [[1.0], [0.0]]) == pytest.approx((sure + unsure) / 2)
    weighted = make_loss("binary", gamma=2.0, weights=torch.tensor([3.0]))
    assert value(weighted, [[x], [x]], [[1.0], [0.0]]) == pytest.approx((3 * sure + unsure) / 2)
    focal = make_loss("classes", gamma=2.0)
    assert value(focal, [[0.0, x], [0.0, x]], [[0.0, 1.0], [1.0, 0.0]]) == pytest.approx((sure + unsure) / 2)


@pytest.mark.parametrize("task", ["binary", "classes"])
def test_a_focal_loss_takes_soft_truths_and_has_slopes_where_all_is_sure(task):
    logits = torch.tensor([[40.0, -40.0], [-200.0, 200.0]], requires_grad=True)
    truth = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    loss = make_loss(task, gamma=0.5)(logits, truth)
    loss.backward()

    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("task", ["binary", "classes"])
def test_without_focus_it_is_the_cross_entropy(task):
    rng = torch.Generator().manual_seed(0)
    logits, truth = torch.randn(8, 3, generator=rng), torch.rand(8, 3, generator=rng).softmax(1)

    near = make_loss(task, gamma=1e-7, smoothing=0.1)(logits, truth)
    assert float(near) == pytest.approx(float(make_loss(task, smoothing=0.1)(logits, truth)), rel=1e-5)


def events(seed=0):
    """Two segments, three classes, five outputs, of which three answer four events, two at one output."""
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(seed))
    truth = torch.zeros(2, 3, 5)
    places = [(0, 1, 2), (1, 0, 4), (1, 2, 0), (1, 0, 0)]
    for place in places:
        truth[place] += 1
    return logits, truth, places


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 5.0]])
def test_the_loss_of_events_is_a_mean_over_events(weights, smoothing):
    logits, truth, places = events()
    loss = make_loss(
        "events", weights=None if weights is None else torch.tensor(weights), smoothing=smoothing
    )
    log_p = logits.log_softmax(dim=1)
    total = weight_of_all = 0.0
    for row, name, output in places:
        wanted = torch.full((3,), smoothing / 3)
        wanted[name] += 1 - smoothing
        # Of two events that one output answers, each counts with their mean weight.
        here = truth[row, :, output]
        weight = 1.0 if weights is None else float(here @ torch.tensor(weights) / here.sum())
        total += weight * float(-(wanted * log_p[row, :, output]).sum())
        weight_of_all += weight
    assert float(loss(logits, truth)) == pytest.approx(total / weight_of_all, rel=1e-5)


def test_outputs_without_events_do_not_matter():
    logits, truth, _ = events()
    other = torch.where(truth.sum(dim=1, keepdim=True) > 0, logits, torch.tensor(100.0))
    assert float(make_loss("events")(other, truth)) == pytest.approx(
        float(make_loss("events")(logits, truth))
    )
    logits.requires_grad_()
    nothing = make_loss("events")(logits, torch.zeros_like(truth))
    nothing.backward()
    assert nothing.item() == 0
    assert (logits.grad == 0).all()


def test_balanced_weights_of_events_count_events():
    truth = events()[1].numpy()
    assert balanced_weights(truth, task="events").tolist() == pytest.approx([4 / 6, 4 / 3, 4 / 3])
    with pytest.raises(TrainingError, match="positive rows: 2 of 4, 1 of 4, 1 of 4, 0 of 4"):
        balanced_weights(np.concatenate([truth, np.zeros((2, 1, 5))], axis=1), task="events")
