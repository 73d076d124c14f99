"""TrainingConfig: everything that decides how weights are learned, validated, unknown keys refused.

Plain data; must not import torch, since reading an experiment file has to be cheap.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["BEST_WHEN_LOW", "TrainingConfig"]

BEST_WHEN_LOW = frozenset({"loss", "ece"})
"""Names of validation metrics; every other one is best when high."""


class TrainingConfig(BaseModel):
    """How a network is trained; exactly one of `epochs`, `minutes` and `steps` is its budget.

    Args:    loss: "auto" and "cross_entropy" take the cross-entropy of the task: sigmoid for binary and labels, else
             softmax; "focal" lets rows count less the surer the network is of them.
             focal_gamma: how much less; 0 is the cross-entropy.
             epochs: passes over the training rows.
             minutes: wall-clock time, turned into a number of steps after the first steps have been timed.
             steps: updates of the weights; what repeats a run whose budget was in minutes.
             batch: rows a step.
             learning_rate: peak of the schedule.  warmup: share of the steps until that peak.
             schedule: "one-cycle" rises along half a cosine, "cosine" along a line; both fall along half a cosine.
             weight_decay: decoupled (AdamW); norms and biases are not decayed.
             clip: largest norm of the gradient over all weights.
             label_smoothing: how much of each truth is spread evenly over the possible values.
             class_weights: "none", "balanced" (each class counts the same in the loss), or a number a class
             (binary: the weight of the positive rows).
             mixup: a of Beta(a, a), by which each row is mixed with another of its batch; 0 mixes nothing.
             ema: decay a step of the moving average of the weights, which is then what is validated and kept;
             0 keeps the weights themselves.
             augment: steps for `inputs.augment`, applied in order to training rows only.
             select: name of the validation metric by which the best weights are kept; "auto" takes `auroc`, or
             `macro_auroc` with several classes; `loss` and `ece` are best when low, every other metric when high.
             patience: validations in a row without a better `select` after which training stops, before its budget
             is used up; None goes on to the end.
             validate_after_steps: validation follows an epoch once so many steps have passed since the last one, so
             that short epochs are not mostly validation.
             segment_s: with events, seconds of the stretches that recordings are cut into.
             on_failure: when loss, gradient or weights are not finite, "roll back" to the last snapshot with half the
             learning rate, at most 3 times, or "stop".
             precision: of the products in the network; "auto" takes the fastest that this machine does well.
             device: where the network runs: "cpu", "cuda" or "cuda:<number>".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    loss: Literal["auto", "cross_entropy", "focal"] = "auto"
    focal_gamma: float = Field(2.0, ge=0, le=10)
    epochs: int | None = Field(None, ge=1, le=1_000_000)
    minutes: float | None = Field(None, gt=0, le=100_000)
    steps: int | None = Field(None, ge=1, le=1_000_000_000)
    batch: int = Field(64, ge=1, le=65_536)
    learning_rate: float = Field(1e-3, gt=0, le=10)
    schedule: Literal["one-cycle", "cosine"] = "one-cycle"
    warmup: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(1e-2, ge=0, le=10)
    clip: float = Field(1.0, gt=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] | tuple[float, ...] = "none"
    mixup: float = Field(0.0, ge=0, le=10)
    ema: float = Field(0.0, ge=0, lt=1)
    augment: tuple[dict[str, Any], ...] = ()
    select: str = Field("auto", min_length=1)
    patience: int | None = Field(None, ge=1, le=1_000_000)
    validate_after_steps: int = Field(1, ge=1)
    segment_s: float = Field(30.0, gt=0, le=86_400)
    on_failure: Literal["roll back", "stop"] = "roll back"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$")

    @model_validator(mode="after")
    def _has_one_budget(self) -> Self:
        given = [name for name in ("epochs", "minutes", "steps") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected exactly one budget, epochs, minutes or steps, got {found}")
        return self

    @model_validator(mode="after")
    def _weights_and_augmentations_are_complete(self) -> Self:
        if not isinstance(self.class_weights, str) and not all(weight > 0 for weight in self.class_weights):
            raise ValueError(f"expected class_weights above 0, got {self.class_weights}")
        unnamed = [step for step in self.augment if not isinstance(step.get("kind"), str)]
        if unnamed:
            raise ValueError(f'expected augment steps such as {{kind = "gain"}}, got {unnamed[0]}')
        return self
