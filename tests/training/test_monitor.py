import math

from vicinal.training.monitor import Monitor


def told(training, validation, **further):
    """A monitor that has seen epochs of one step each."""
    monitor = Monitor()
    for k, (loss, metrics) in enumerate(zip(training, validation, strict=True), start=1):
        monitor.step(step=k, total=None, loss=loss, gradient_norm=1, learning_rate=0.1, rows_per_s=1)
        monitor.epoch(
            epoch=k, step=k, validation=metrics, select="auroc", best=further.get("best", k == 1), seconds=0
        )
    return [finding.kind for finding in monitor.findings], monitor


def loss_and(*losses):
    return [{"auroc": 0.8, "loss": loss} for loss in losses]


def test_records_go_to_the_sink():
    lines = []
    monitor = Monitor(lines.append)
    for step in (1, 2):
        monitor.step(step=step, total=2, loss=step, gradient_norm=3, learning_rate=0.1, rows_per_s=100)
    monitor.epoch(epoch=1, step=2, validation={"auroc": 0.75}, select="auroc", best=True, seconds=1.5)

    assert [line["kind"] for line in lines] == ["step", "step", "epoch"]
    assert lines[2]["training_loss"] == 1.5
    assert monitor.epochs == [lines[2]]


def test_nothing_is_found_in_a_run_that_learns():
    found, _ = told([1.0, 0.8, 0.6, 0.5, 0.45], loss_and(1.0, 0.8, 0.7, 0.65, 0.64))

    assert found == []
    assert Monitor().findings == []


def test_diverging_is_found():
    found, monitor = told([0.6, 0.5, 4.0], loss_and(0.6, 0.5, 3.0))

    assert found == ["diverging"]
    assert "rose from 0.500 (epoch 2) to 4.000" in monitor.findings[0].message


def test_overfitting_is_found():
    training = [0.7, 0.5, 0.3, 0.2, 0.1]
    found, monitor = told(training, loss_and(0.7, 0.6, 0.65, 0.7, 0.8))

    assert found == ["overfitting"]
    assert "since epoch 2: the validation loss rose from 0.600 to 0.800" in monitor.findings[0].message


def test_not_learning_is_found():
    found, _ = told([0.69, 0.69, 0.70], loss_and(0.69, 0.69, 0.69))

    assert found == ["not learning"]


def test_a_class_that_is_never_found_is_named():
    found, monitor = told([0.7, 0.6], [{"auroc": 0.8, "f1[N]": 0.9, "f1[A]": 0.0}] * 2)

    assert found == ["class never found"]
    assert "no row of A was found (F1 is 0)" in monitor.findings[0].message


def test_a_run_without_selection_says_so():
    found, _ = told([0.7, 0.6], [{"auroc": math.nan}] * 2, best=False)

    assert found == ["no selection"]
