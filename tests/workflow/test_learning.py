import numpy as np

from vicinal.inputs.contract import Contract
from vicinal.terminal import QUIET
from vicinal.training.config import TrainingConfig
from vicinal.workflow.learning import learn


class Rows:
    """Signals whose sign is their class."""

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(0)
        self.truth = (np.arange(n) % 2).astype(float)[:, None]
        self._x = (rng.normal(size=(n, 1, 20)) + 2 * self.truth[:, :, None] - 1).astype(np.float32)

    def rows(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._x[indices], np.full(len(indices), 20, dtype=np.int64)


def test_what_is_learnt_is_a_model_that_scores_as_validated() -> None:
    rows, records = Rows(80), list[dict[str, object]]()
    learned = learn(
        rows,
        train=np.arange(60),
        validation=np.arange(60, 80),
        network="conv 4 window 5 | relu | mean | dense 1",
        contract=Contract(channels=("x",), rate_hz=20, duration_s=1, units="1"),
        task="binary",
        classes=("up",),
        config=TrainingConfig(epochs=8, batch=10, learning_rate=3e-2),
        seed=0,
        sink=records.append,
        show=QUIET,
    )
    scorer = learned.model.scorer()
    logits = scorer.logits(*rows.rows(np.arange(60, 80)))[:, 0]
    truth = rows.truth[60:, 0]
    wins = logits[truth == 1][:, None] > logits[truth == 0][None]
    best = learned.fitted.history[learned.fitted.best_epoch - 1]
    assert best["validation"]["auroc"] == wins.mean()
    assert wins.mean() > 0.9
    assert learned.fitted.n_steps == 48
    assert sum(record["kind"] == "step" for record in records) == 48
