"""Each failure is planted in a small real training, and a healthy one is met with silence."""

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from tests.training.test_loop import Rows, Small, run
from torch import nn

from vicinal.evidence.following import following
from vicinal.inputs.batches import ArrayRows
from vicinal.inputs.contract import Contract
from vicinal.scoretable import ScoreTable
from vicinal.training.config import TrainingConfig
from vicinal.training.monitor import Monitor
from vicinal.workflow.learning import learn
from vicinal.workflow.lesson import lesson_of


def other_rows(seed=1, n=256):
    """Rows as those of training, but others."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    x = rng.standard_normal((n, 1, 20)).astype(np.float32)
    x[labels == 1, :, 8:12] += 2.0
    return x, labels


def metrics(x, labels):
    def measured(network):
        with torch.no_grad():
            logits = network(torch.from_numpy(x), None)[:, 0].double()
        y = torch.from_numpy(labels.astype(np.float64))
        ranks, n = rankdata(logits.numpy())[labels == 1], int(labels.sum())
        auroc = (ranks.sum() - n * (n + 1) / 2) / (n * (len(labels) - n))
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        called = (logits > 0).numpy()
        right = (called & (labels == 1)).sum()
        f1 = 2 * right / max(1, called.sum() + labels.sum())
        return {"auroc": float(auroc), "loss": float(loss), "f1[positive]": float(f1)}

    return measured


def found_in(*, rows=None, validation=None, **options):
    rows, monitor = rows or Rows(), Monitor()
    run(
        rows=rows,
        validate=metrics(*(validation or other_rows())),
        sample=metrics(rows.x, rows.y[:, 0].astype(int)),
        monitor=monitor,
        select=options.pop("select", "auroc"),
        **options,
    )
    return {one.kind: one.message for one in monitor.findings}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("epochs", [4, 10])
def test_a_healthy_training_is_met_with_silence(seed, epochs):
    assert found_in(epochs=epochs, seed=seed) == {}


def test_a_learning_rate_that_is_too_high_is_found():
    found = found_in(epochs=6, learning_rate=3.0)
    assert "of their size or more" in found["learning rate too high"]


def test_a_learning_rate_that_is_too_low_is_found():
    found = found_in(epochs=6, learning_rate=1e-7)
    assert "where a thousandth is usual" in found["learning rate too low"]


def test_units_that_died_are_found():
    network = Small()
    with torch.no_grad():
        network.norm.bias[:3] = -100.0
    found = found_in(network=network, epochs=40)
    # Of 64 features of the head, three of four channels with 16 positions each.
    assert "48 of 64 that reach head" in found["dead units"]


def test_labels_that_were_shuffled_are_found():
    rows = Rows()
    rows.y = np.random.default_rng(5).permutation(rows.y)
    x, labels = other_rows()
    labels = np.random.default_rng(6).permutation(labels)
    found = found_in(rows=rows, validation=(x, labels), epochs=40)
    assert "what tossing a coin gives" in found["labels probably shuffled"]


def test_overfitting_is_found_with_its_epoch():
    rows = Rows()
    rng = np.random.default_rng(3)
    rows.x = rng.standard_normal(rows.x.shape).astype(np.float32)
    rows.x[rows.y[:, 0] == 1, :, 8:12] += 0.4
    x, labels = other_rows()
    x[labels == 1, :, 8:12] -= 1.6
    found = found_in(rows=rows, validation=(x, labels), epochs=60, learning_rate=3e-2)
    assert "overfitting since epoch" in found["overfitting"]


def test_validation_that_is_mostly_luck_is_found():
    x, labels = other_rows(n=256)
    x[labels == 1, :, 8:12] -= 1.6  # a hint of the class is left

    class Few:
        """Six other rows at each validation: what a much too small validation set is like."""

        k = 0

        def __call__(self, network):
            rows = np.arange(6 * self.k, 6 * self.k + 6)  # the class of a row is odd or even
            self.k += 1
            return {"auroc": metrics(x[rows], np.array([0, 1, 0, 1, 0, 1]))(network)["auroc"], "loss": 0.5}

    monitor = Monitor()
    run(validate=Few(), select="auroc", epochs=20, monitor=monitor)
    found = {one.kind: one.message for one in monitor.findings}
    assert "mostly luck" in found["noisy validation"]


def test_a_class_that_is_never_predicted_is_found():
    rows = Rows()
    found = found_in(rows=rows, epochs=20, class_weights=(1e-4,))
    assert "no row of positive was found (F1 is 0)" in found["class never found"]


class Chaotic(Rows):
    """Rows whose labels turn round after four epochs."""

    def epoch(self, k, *, first=0):
        if k == 4:
            self.y = 1 - self.y
        return super().epoch(k, first=first)


def test_a_loss_that_rises_is_found():
    assert "the training loss rose from" in found_in(rows=Chaotic(), epochs=5)["diverging"]


def given(probabilities, truth):
    """The findings of epochs whose validation rows were given these probabilities of one class."""
    p = np.asarray(probabilities)
    table = ScoreTable(
        task="binary", classes=("ill",), role="validation", ids=np.arange(len(p)).astype(str), subjects=None,
        truth=np.asarray(truth, float)[:, None], logits=np.log(p / (1 - p))[:, None], probabilities=p[:, None],
    )  # fmt: skip
    monitor = Monitor()
    for k in (1, 2):
        monitor.step(step=k, total=2, loss=1 / k, gradient_norm=1.0, learning_rate=1e-3, rows_per_s=1.0)
        monitor.epoch(epoch=k, step=k, validation=following(table), select="auroc", best=k == 1, seconds=0)
    return {one.kind: one.message for one in monitor.findings}


def test_a_class_that_no_row_or_every_row_is_given_is_named():
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 20 == 0  # 5 %
    flat = 0.05 + 0.01 * rng.random(200)
    said = given(flat, truth)["class never found"]
    assert f"no row was given ill with more than {flat.max():.3f}" in said
    said = given(1 - flat, ~truth)["class never found"]
    assert f"every row was given ill with {1 - flat.max():.3f} or more" in said
    assert "no row was given" in given(0.3 + 0.1 * rng.random(200), np.arange(200) % 2)["class never found"]


def test_a_rare_class_that_is_told_apart_and_rows_of_one_class_are_met_with_silence():
    truth = np.arange(200) % 20 == 0
    # Never above a half, and yet four times as probable where it is: a threshold finds it.
    assert given(np.where(truth, 0.2, 0.03), truth) == {}
    assert "class never found" not in given(np.full(200, 0.05), np.zeros(200))
    assert given(np.where(truth, 0.9, 0.1), truth) == {}


@pytest.mark.parametrize("task", ["binary", "labels"])
@pytest.mark.parametrize("signal", [0.0, 3.0])
def test_a_class_that_cannot_be_told_is_found_by_the_workflow(task, signal):
    """One in twelve rows; without any signal in them the network ends at that share for every row."""
    rng = np.random.default_rng(1)
    labels = np.arange(480) % 12 == 0
    x = rng.standard_normal((480, 40)).astype(np.float32)
    x[labels, 15:25] += signal
    truth = labels[:, None].astype(float)
    if task == "labels":
        other = rng.random(480) < 0.5
        x[other, 30:] -= 3
        truth = np.column_stack([truth, other])
    learned = learn(lesson_of(
        ArrayRows(x[:, None], np.full(480, 40), truth), train=np.arange(300), validation=np.arange(300, 480),
        network="conv 4 window 9 | relu | mean-max | dense classes",
        contract=Contract(channels=("x",), rate_hz=40, duration_s=1, units="1"), task=task,
        classes=("rare", "other")[: truth.shape[1]],
        config=TrainingConfig(epochs=10, batch=20, learning_rate=1e-2, precision="float32"), seed=0,
    ))  # fmt: skip
    found = {one.kind: one.message for one in learned.monitor.findings}
    if signal:
        assert "class never found" not in found
    else:
        assert "no row was given rare with more than" in found["class never found"]
        assert "other" not in found["class never found"]


def found_by_the_workflow(*, seed, rate):
    """Bumps whose width is their class, somewhere in noise, learnt as every command learns."""
    rng = np.random.default_rng(seed)
    labels, times = np.arange(400) % 2, np.arange(60)
    width = np.array([2.0, 4.0])[labels][:, None]
    x = 1.5 * np.exp(-0.5 * ((times - rng.uniform(15, 45, (400, 1))) / width) ** 2)
    x = (x + 0.4 * rng.standard_normal((400, 60))).astype(np.float32)
    learned = learn(lesson_of(
        ArrayRows(x[:, None], np.full(400, 60), labels[:, None].astype(float)),
        train=np.arange(240), validation=np.arange(240, 400),
        network="conv 8 window 9 | norm | relu | conv 16 window 5 stride 2 | norm | relu | mean-max | dense classes",
        contract=Contract(channels=("x",), rate_hz=60, duration_s=1, units="1"), task="binary", classes=("wide",),
        config=TrainingConfig(epochs=12, batch=16, learning_rate=rate, precision="float32"),
        seed=0,
    ))  # fmt: skip
    found = {one.kind: one.message for one in learned.monitor.findings}
    return found, learned.fitted.history[-1]["validation"]["auroc"]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("rate", [1e-3, 5e-3, 2e-2])
def test_healthy_learning_rates_are_met_with_silence(seed, rate):
    found, auroc = found_by_the_workflow(seed=seed, rate=rate)
    assert auroc > 0.9
    assert found == {}


def test_a_thousandth_of_the_learning_rate_is_too_low_and_nothing_else():
    found, _ = found_by_the_workflow(seed=0, rate=5e-6)
    assert list(found) == ["learning rate too low"]
    assert "vicinal" not in found["learning rate too low"]


def test_a_thousand_times_the_learning_rate_is_too_high():
    found, _ = found_by_the_workflow(seed=0, rate=5.0)
    assert "in epoch 1 each step moved the weights of every stage by 1" in found["learning rate too high"]
