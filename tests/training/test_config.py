import pytest
from pydantic import ValidationError

from vicinal.training.config import TrainingConfig


@pytest.mark.parametrize("budget", [{"epochs": 3}, {"minutes": 0.5}, {"steps": 100}])
def test_each_budget_is_enough_alone(budget):
    config = TrainingConfig(**budget)

    assert [config.epochs, config.minutes, config.steps].count(None) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "exactly one budget, epochs, minutes or steps, got none"),
        ({"epochs": 1, "minutes": 2}, "got epochs and minutes"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"minutes": 0}, "greater than 0"),
        ({"minutes": float("inf")}, "less than or equal|finite"),
        ({"epochs": 1, "batch": 0}, "greater than or equal to 1"),
        ({"epochs": 1, "batch": -8}, "greater than or equal to 1"),
        ({"epochs": 1, "learning_rate": 0}, "greater than 0"),
        ({"epochs": 1, "learning_rate": 1e9}, "less than or equal to 10"),
        ({"epochs": 1, "learning_rate": float("nan")}, "finite|greater"),
        ({"epochs": 1, "warmup": 1.0}, "less than 1"),
        ({"epochs": 1, "clip": 0}, "greater than 0"),
        ({"epochs": 1, "ema": 1.0}, "less than 1"),
        ({"epochs": 1, "class_weights": [1.0, 0.0]}, "class_weights above 0"),
        ({"epochs": 1, "augment": [{"low": 1}]}, "augment steps such as"),
        ({"epochs": 1, "learnin_rate": 1e-3}, "Extra inputs"),
        ({"epochs": 10**400}, "less than or equal"),
        ({"epochs": 1, "precision": "float16"}, "float32"),
        ({"epochs": 1, "patience": 0}, "greater than or equal to 1"),
        ({"epochs": 1, "mixup": -0.1}, "greater than or equal to 0"),
        ({"epochs": 1, "schedule": "cosinus"}, "cosine"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        TrainingConfig(**values)
