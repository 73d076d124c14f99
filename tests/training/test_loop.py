import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from vicinal.errors import ExperimentError, TrainingError
from vicinal.representations.engine import Engine
from vicinal.training.checkpoint import Checkpoints, Stopped
from vicinal.training.config import TrainingConfig
from vicinal.training.learner import Learner
from vicinal.training.loop import fit
from vicinal.training.monitor import Monitor


@dataclass(frozen=True)
class Batch:
    x: np.ndarray
    lengths: np.ndarray | None
    y: np.ndarray


class Rows:
    """64 rows whose class shows as a step in the middle; batches of 16 in an order of the epoch's own."""

    def __init__(self, bad_row=None, n_outputs=1):
        rng = np.random.default_rng(0)
        labels = np.arange(64) % max(n_outputs, 2)
        self.x = rng.standard_normal((64, 1, 20)).astype(np.float32)
        self.x[labels == 1, :, 8:12] += 2.0
        self.x[labels == 2, :, 8:12] -= 2.0
        one_hot = (labels[:, None] == np.arange(n_outputs)).astype(np.float32)
        self.y = one_hot if n_outputs > 1 else (labels[:, None] == 1).astype(np.float32)
        if bad_row is not None:
            self.x[bad_row] = np.nan
        self.bad_row = bad_row

    n_steps = 4

    def epoch(self, k, *, first=0):
        order = np.random.default_rng(k).permutation(64)
        for rows in np.split(order, 4)[first:]:
            yield Batch(self.x[rows], None, self.y[rows])


class Small(nn.Module):
    def __init__(self, n_outputs=1):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.conv = nn.Conv1d(1, 4, 5)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(64, n_outputs)
        with torch.no_grad():
            for parameter in (self.conv.weight, self.head.weight):
                parameter.normal_(0, 0.2, generator=generator)
            for parameter in (self.conv.bias, self.head.bias):
                parameter.zero_()

    def forward(self, x, lengths):
        assert lengths is None
        return self.head(self.drop(torch.relu(self.norm(self.conv(x)))).flatten(1))


def accuracy_on(rows):
    def validate(network):
        with torch.no_grad():
            logits = network(torch.from_numpy(rows.x), None)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(rows.y))
        right = ((logits > 0) == (torch.from_numpy(rows.y) == 1)).float().mean()
        return {"accuracy": float(right), "loss": float(loss)}

    return validate


def run(
    *,
    network=None,
    rows=None,
    validate=None,
    sample=None,
    seed=3,
    monitor=None,
    task="binary",
    checkpoints=None,
    **config,
):
    rows = rows or Rows()
    return fit(
        network or Small(),
        rows,
        validate=validate or accuracy_on(Rows()),
        config=TrainingConfig(**{"batch": 16, "select": "accuracy", "learning_rate": 1e-2, **config}),
        task=task,
        monitor=monitor or Monitor(),
        engine=Engine(),
        seed=seed,
        sample=sample,
        checkpoints=checkpoints,
    )


def same(a, b):
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def test_training_learns_and_keeps_the_best_epoch():
    lines = []
    fitted = run(epochs=12, monitor=Monitor(lines.append))

    values = [record["validation"]["accuracy"] for record in fitted.history]
    assert fitted.n_steps == 48
    assert len(fitted.history) == 12
    assert values[fitted.best_epoch - 1] == max(values) > 0.9
    assert values.index(max(values)) == fitted.best_epoch - 1
    assert [line["step"] for line in lines if line["kind"] == "step"] == list(range(1, 49))


def test_the_kept_weights_are_those_that_were_validated():
    seen = []

    def validate(network):
        seen.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return {"accuracy": [0.1, 0.9, 0.5][len(seen) - 1]}

    fitted = run(epochs=3, validate=validate)

    assert fitted.best_epoch == 2
    for name, tensor in seen[1].items():
        assert (fitted.weights[name] == tensor.numpy()).all()
        assert fitted.weights[name].dtype == np.float32


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    networks = [Small(), Small(), Small()]
    before = torch.random.get_rng_state()
    seeds = zip(networks, (3, 3, 4), strict=True)
    first, second, third = [run(network=network, epochs=2, seed=seed) for network, seed in seeds]

    assert same(first.weights, second.weights)
    assert not same(first.weights, third.weights)
    assert torch.equal(before, torch.random.get_rng_state())


def test_minutes_become_steps_which_repeat_the_run(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("vicinal.training.loop.time.perf_counter", lambda: next(ticks) * 0.01)

    # The clock is read once a step and twice a validation: after 10 steps, two validations and the timed one
    # 0.16 s are over; a step takes 0.01 s and so does a validation, one every 4 steps.
    fitted = run(minutes=0.05)
    assert fitted.n_steps == 10 + int((3 - 0.16 - 0.01) / (0.01 + 0.01 / 4)) == 236

    assert same(fitted.weights, run(steps=fitted.n_steps).weights)


def test_steps_end_inside_an_epoch_with_a_validation():
    fitted = run(steps=6)

    assert fitted.n_steps == 6
    assert [record["step"] for record in fitted.history] == [4, 6]


def test_a_loss_that_is_not_finite_stops_the_step_it_appears_in():
    rows = Rows(bad_row=int(np.random.default_rng(0).permutation(64)[20]))  # in the second batch
    network, seen = Small(), []
    monitor = Monitor(lambda line: seen.append((line, network.head.weight.detach().clone())))

    with pytest.raises(
        TrainingError, match=r"at step 2: expected a finite loss, .* Try a third of the learning"
    ):
        run(network=network, rows=rows, monitor=monitor, epochs=1, on_failure="stop")

    assert [line["step"] for line, _ in seen] == [1]
    assert torch.isfinite(network.head.weight).all()


def test_a_gradient_that_is_not_finite_is_found_too():
    class Steep(Small):
        def forward(self, x, lengths):
            # The value is 0, the slope of the square root at 0 is infinite.
            return super().forward(x, lengths) + torch.sqrt(self.head.bias * 0)

    with pytest.raises(TrainingError, match=r"at step 1: .* gradient norm nan"):
        run(network=Steep(), epochs=1, on_failure="stop")


def test_select_must_be_a_metric_and_loss_is_best_when_low():
    with pytest.raises(ExperimentError, match=r"one of the validation metrics accuracy, loss, got 'auroc'"):
        run(epochs=1, select="auroc")

    fitted = run(epochs=6, select="loss")
    losses = [record["validation"]["loss"] for record in fitted.history]
    assert losses[fitted.best_epoch - 1] == min(losses)


def test_without_a_number_to_select_by_the_last_weights_are_kept():
    monitor = Monitor()
    fitted = run(epochs=3, validate=lambda _: {"accuracy": float("nan")}, monitor=monitor)

    assert fitted.best_epoch == 3
    assert [finding.kind for finding in monitor.findings][-1] == "no selection"


def test_the_average_of_the_weights_is_what_is_validated_and_kept():
    seen = []
    network = Small()

    def validate(judged):
        seen.append(judged)
        return accuracy_on(Rows())(judged)

    fitted = run(network=network, epochs=12, ema=0.9, validate=validate)

    assert all(judged is not network for judged in seen)
    assert fitted.history[fitted.best_epoch - 1]["validation"]["accuracy"] > 0.9


@pytest.mark.parametrize(("task", "n_outputs"), [("classes", 3), ("labels", 3), ("binary", 1)])
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_every_task_trains(task, n_outputs, weights):
    rows, monitor = Rows(n_outputs=n_outputs), Monitor()
    run(
        network=Small(n_outputs),
        rows=rows,
        validate=lambda _: {"accuracy": 0.5},
        monitor=monitor,
        task=task,
        epochs=6,
        class_weights=weights,
        label_smoothing=0.05,
    )

    losses = [record["training_loss"] for record in monitor.epochs]
    assert losses[-1] < 0.8 * losses[0]


def test_class_weights_must_fit_the_outputs():
    with pytest.raises(ExperimentError, match="expected 1 numbers, one a class, got 2"):
        run(epochs=1, class_weights=(1.0, 2.0))


def test_biases_and_norms_are_not_decayed():
    network = Small()
    with torch.no_grad():
        network.norm.weight.fill_(2.0)
        network.conv.weight.fill_(2.0)
    rows = Rows()
    rows.x[:] = 0.0  # no gradient reaches the windows, so only decay can move them
    run(network=network, rows=rows, steps=1, weight_decay=1.0)

    assert (network.conv.weight < 2.0).all()
    assert (network.norm.weight == 2.0).all()


def test_the_learning_rate_follows_the_schedule():
    lines = []
    run(epochs=30, monitor=Monitor(lines.append), learning_rate=1e-2, warmup=0.25)

    rates = [line["learning_rate"] for line in lines if line["kind"] == "step"]
    assert rates[:10] == [1e-2 / 25] * 10
    assert max(rates) == pytest.approx(1e-2, rel=1e-3)
    assert rates[-1] == pytest.approx(1e-6)


def test_no_batch_is_a_clear_error():
    rows = Rows()
    rows.n_steps = 0
    with pytest.raises(TrainingError, match="at least one full batch"):
        run(rows=rows, epochs=1)


def stopped_after(n):
    """Say yes when asked for the n-th time: after step n, but for the last of an epoch, after which both count."""
    asked = itertools.count(1)
    return lambda: next(asked) >= n


def without_times(records):
    timing = {"seconds", "rows_per_s"}
    return [{name: value for name, value in record.items() if name not in timing} for record in records]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 11, 13])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, n, ema):
    settings = {
        "epochs": 4, "ema": ema, "validate_after_steps": 6, "class_weights": "balanced", "mixup": 0.4,
        "loss": "focal", "schedule": "cosine", "patience": 3,
    }  # fmt: skip
    whole_lines, lines = [], []
    whole = run(monitor=Monitor(whole_lines.append), **settings)
    with pytest.raises(Stopped, match="asked to stop, and did after step"):
        run(
            monitor=Monitor(lines.append),
            checkpoints=Checkpoints(tmp_path / "c", every_s=0.0, stop=stopped_after(n)),
            **settings,
        )
    kept = Checkpoints(tmp_path / "c")
    n_done = kept.newest().facts["n_done"]
    assert n <= n_done < 16
    assert kept.newest().facts["monitor"]["n_records"] == len(lines)
    again = run(monitor=Monitor(lines.append), checkpoints=kept, **settings)
    assert same(again.weights, whole.weights)
    assert (again.best_epoch, again.n_steps) == (whole.best_epoch, whole.n_steps)
    assert without_times(again.history) == without_times(whole.history)
    assert without_times(lines) == without_times(whole_lines)


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path):
    whole = run(epochs=3)
    killed = Checkpoints(tmp_path / "c", every_s=0.0)
    write, n_written = killed.write, itertools.count(1)

    def die_in_the_sixth(step, state):
        if next(n_written) == 6:
            raise KeyboardInterrupt
        write(step, state)

    killed.write = die_in_the_sixth
    with pytest.raises(KeyboardInterrupt):
        run(epochs=3, checkpoints=killed)
    assert same(run(epochs=3, checkpoints=Checkpoints(tmp_path / "c")).weights, whole.weights)


def test_a_finished_training_is_not_done_again(tmp_path):
    first = run(epochs=2, checkpoints=Checkpoints(tmp_path / "c"))
    lines = []
    again = run(epochs=2, monitor=Monitor(lines.append), checkpoints=Checkpoints(tmp_path / "c"))
    assert same(first.weights, again.weights)
    assert lines == []


def test_checkpoints_change_nothing(tmp_path):
    assert same(
        run(epochs=2, checkpoints=Checkpoints(tmp_path / "c", every_s=0.0)).weights, run(epochs=2).weights
    )


def test_a_budget_in_minutes_keeps_its_number_of_steps(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c", every_s=0.0, stop=stopped_after(14))
    with pytest.raises(Stopped):
        run(minutes=0.02, checkpoints=checkpoints)
    total = checkpoints.newest().facts["total"]
    again = run(minutes=0.02, checkpoints=Checkpoints(tmp_path / "c"))
    assert again.n_steps == total
    assert same(again.weights, run(steps=total).weights)


def scripted(*values):
    """Validation whose accuracy is what a script says."""
    left = iter(values)
    return lambda _: {"accuracy": next(left)}


def test_training_stops_early_after_so_many_validations_without_a_better_one():
    lines, networks = [], [Small(), Small()]
    monitor = Monitor(lines.append)
    fitted = run(
        network=networks[0],
        epochs=20,
        patience=3,
        monitor=monitor,
        validate=scripted(0.5, 0.7, 0.7, 0.6, 0.7),
    )

    assert (fitted.n_steps, fitted.n_planned, fitted.best_epoch) == (20, 80, 2)
    end = {"kind": "end", "step": 20, "total": 80, "best_epoch": 2, "stopped_early": True}
    assert lines[-1] == end
    (finding,) = [one for one in monitor.findings if one.kind == "stopped early"]
    assert "after epoch 5, at step 20 of 80: validation was best in epoch 2" in finding.message
    # The same steps as a run that goes on: the budget, not where it stops, decides the learning rate.
    whole = run(network=networks[1], epochs=20, validate=scripted(*[0.5] * 20))
    assert whole.n_steps == whole.n_planned == 80
    rates = [line["learning_rate"] for line in lines if line["kind"] == "step"]
    assert max(rates) == pytest.approx(1e-2, rel=1e-2)


def test_a_run_that_uses_up_its_budget_did_not_stop_early():
    lines = []
    monitor = Monitor(lines.append)
    run(epochs=3, patience=2, monitor=monitor, validate=scripted(0.5, 0.4, 0.3))

    assert lines[-1]["stopped_early"] is False
    assert "stopped early" not in [one.kind for one in monitor.findings]


def test_patience_is_kept_over_an_interruption(tmp_path):
    values = (0.5, 0.7, 0.6, 0.6, 0.6)
    whole = run(epochs=20, patience=3, validate=scripted(*values))
    checkpoints = Checkpoints(tmp_path / "c", every_s=0.0, stop=stopped_after(15))
    with pytest.raises(Stopped):
        run(epochs=20, patience=3, validate=scripted(*values), checkpoints=checkpoints)
    n_validated = checkpoints.newest().facts["n_validated"] // 4
    left = values[n_validated:]
    lines = []
    again = run(
        epochs=20, patience=3, validate=scripted(*left), checkpoints=Checkpoints(tmp_path / "c"),
        monitor=Monitor(lines.append),
    )  # fmt: skip
    assert again.n_steps == whole.n_steps == 20
    assert same(again.weights, whole.weights)
    assert same(again.last, whole.last)
    # A training that stopped early is over: nothing is done again.
    lines = []
    run(epochs=20, patience=3, checkpoints=Checkpoints(tmp_path / "c"), monitor=Monitor(lines.append))
    assert lines == []


def test_the_last_weights_are_kept_beside_the_best():
    network = Small()
    fitted = run(network=network, epochs=3, validate=scripted(0.5, 0.9, 0.4))

    for name, tensor in network.state_dict().items():
        assert (fitted.last[name] == tensor.numpy()).all()
    assert not same(fitted.last, fitted.weights)
    assert same(run(epochs=3, validate=scripted(0.5, 0.7, 0.9)).weights, fitted.last)


@pytest.mark.parametrize("setting", [{"loss": "focal"}, {"mixup": 0.4}, {"schedule": "cosine"}])
def test_every_option_changes_the_weights_and_still_learns(setting):
    plain, other = run(epochs=12), run(epochs=12, **setting)

    assert not same(plain.weights, other.weights)
    assert other.history[other.best_epoch - 1]["validation"]["accuracy"] > 0.9
    assert same(other.weights, run(epochs=12, **setting).weights)


def test_mixup_needs_classes_to_mix():
    with pytest.raises(ExperimentError, match=r"training.mixup: expected a task of binary.*got 'events'"):
        run(epochs=1, mixup=0.4, task="events")


class FailsOnce(Rows):
    """Rows of which the n-th batch ever given is not finite, once."""

    def __init__(self, n):
        super().__init__()
        self.n, self.given = n, 0

    def epoch(self, k, *, first=0):
        for batch in super().epoch(k, first=first):
            self.given += 1
            yield Batch(batch.x * np.nan, None, batch.y) if self.given == self.n else batch


def test_a_failure_is_taken_back_with_half_the_learning_rate():
    lines, monitor_lines = [], []
    monitor = Monitor(lines.append)
    fitted = run(rows=FailsOnce(7), epochs=4, monitor=monitor)
    run(epochs=4, monitor=Monitor(monitor_lines.append))

    (at,) = [k for k, line in enumerate(lines) if line["kind"] == "rollback"]
    assert lines[at] == {"kind": "rollback", "step": 7, "to_step": 4, "what": "loss", "rate_share": 0.5}
    before = [line for line in lines[:at] if line["kind"] == "step"]
    after = [line for line in lines[at:] if line["kind"] == "step"]
    usual = [line["learning_rate"] for line in monitor_lines if line["kind"] == "step"]
    assert [line["step"] for line in before] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in after] == list(range(5, 17))
    assert [line["learning_rate"] for line in before] == usual[:6]
    assert [line["learning_rate"] for line in after] == [rate / 2 for rate in usual[4:]]
    # The same weights, rows and random state: the loss of step 5 is the one it had.
    assert after[0]["loss"] == before[4]["loss"]
    assert fitted.n_steps == 16
    (finding,) = [one for one in monitor.findings if one.kind == "rolled back"]
    assert "loss not finite at step 7, back to step 4; since then the learning rate is 0.5" in finding.message
    # The mean of an epoch leaves out the steps that were taken back.
    epoch = [line for line in lines if line["kind"] == "epoch"][1]
    assert epoch["training_loss"] == pytest.approx(np.mean([line["loss"] for line in after[:4]]))


def test_after_three_times_training_stops():
    lines = []
    with pytest.raises(TrainingError, match="at step 2, after going back 3 times"):
        run(rows=Rows(bad_row=int(np.random.default_rng(0).permutation(64)[20])), epochs=1,
            monitor=Monitor(lines.append))  # fmt: skip
    assert [line["rate_share"] for line in lines if line["kind"] == "rollback"] == [0.5, 0.25, 0.125]


def test_weights_that_are_not_finite_are_found_in_the_step_that_made_them(monkeypatch):
    update, calls = Learner.update, itertools.count(1)

    def spoil(learner, rate):
        update(learner, rate)
        if next(calls) == 6:
            with torch.no_grad():
                learner.network.head.weight[0, 3] = np.inf

    monkeypatch.setattr(Learner, "update", spoil)
    lines = []
    fitted = run(epochs=3, monitor=Monitor(lines.append))
    (back,) = [line for line in lines if line["kind"] == "rollback"]
    assert (back["step"], back["to_step"], back["what"]) == (6, 4, "weights")
    assert all(np.isfinite(array).all() for array in fitted.last.values())
    monkeypatch.setattr(Learner, "update", spoil)
    calls = itertools.count(1)
    with pytest.raises(TrainingError, match=r"at step 6: .* weights of head were not finite"):
        run(epochs=3, on_failure="stop")


@pytest.mark.parametrize("n", [7, 9, 13])
def test_a_run_that_went_back_and_was_stopped_goes_on_bit_for_bit(tmp_path, n):
    settings = {"epochs": 5, "ema": 0.9, "validate_after_steps": 8}
    whole_lines, lines = [], []
    whole = run(rows=FailsOnce(6), monitor=Monitor(whole_lines.append), **settings)
    checkpoints = Checkpoints(tmp_path / "c", every_s=0.0, stop=stopped_after(n))
    with pytest.raises(Stopped):
        run(rows=FailsOnce(6), monitor=Monitor(lines.append), checkpoints=checkpoints, **settings)
    assert checkpoints.newest().facts["n_rollbacks"] == 1
    again = run(monitor=Monitor(lines.append), checkpoints=Checkpoints(tmp_path / "c"), **settings)
    assert same(again.weights, whole.weights)
    assert same(again.last, whole.last)
    assert without_times(lines) == without_times(whole_lines)


def test_a_failure_after_resuming_goes_back_to_the_snapshot_before(tmp_path):
    settings = {"epochs": 3}
    whole = run(rows=FailsOnce(7), **settings)
    with pytest.raises(Stopped):
        run(checkpoints=Checkpoints(tmp_path / "c", every_s=0.0, stop=stopped_after(6)), **settings)
    n_done = Checkpoints(tmp_path / "c").newest().facts["n_done"]
    assert 4 < n_done < 7
    lines = []
    again = run(
        rows=FailsOnce(7 - n_done), checkpoints=Checkpoints(tmp_path / "c"), monitor=Monitor(lines.append),
        **settings,
    )  # fmt: skip
    assert [line["to_step"] for line in lines if line["kind"] == "rollback"] == [4]
    assert same(again.last, whole.last)


def test_metrics_of_a_sample_of_training_rows_stand_beside_those_of_validation():
    fitted = run(epochs=2, sample=lambda _: {"accuracy": 0.75, "loss": 0.5})

    assert [record["training"] for record in fitted.history] == [{"accuracy": 0.75, "loss": 0.5}] * 2
