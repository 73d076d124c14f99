from pathlib import Path

import numpy as np
import pytest

from vicinal.experiment import load_experiment
from vicinal.inputs.contract import Contract
from vicinal.inputs.steps import Step
from vicinal.workflow.removing import PACKAGES, burdens

STEPS = 'inputs.contract.steps=[{step="resample"},{step="high_pass",cutoff_hz=0.5},{step="clip",limit=5.0}]'


def test_a_step_of_preparation_costs_packages_fields_and_time(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file, [STEPS])
    filtered = burdens(("inputs.contract.steps", {"step": "high_pass", "cutoff_hz": 0.5}), experiment, None)
    assert (filtered["kind"], filtered["packages"], filtered["contract_fields"]) == (
        "preparation", ["numpy", "scipy"], 2,
    )  # fmt: skip
    assert isinstance(filtered["ms_per_recording"], float)
    clipped = burdens(("inputs.contract.steps", {"step": "clip", "limit": 5.0}), experiment, None)
    assert clipped["packages"] == ["numpy"]


def test_other_work_on_the_machine_does_not_count(
    experiment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock by which high_pass takes 2 ms and everything else 1, and half of the calls 50 more."""
    stalls = np.random.default_rng(0)

    def seconds(_: object, __: object, contract: Contract) -> float:
        slow = any(step.step == "high_pass" for step in contract.steps)
        return 0.001 + 0.002 * slow + 0.05 * (stalls.random() < 0.5)

    monkeypatch.setattr("vicinal.workflow.removing._seconds", seconds)
    experiment, _ = load_experiment(experiment_file, [STEPS])
    found = burdens(("inputs.contract.steps", {"step": "high_pass", "cutoff_hz": 0.5}), experiment, None)
    assert found["ms_per_recording"] == pytest.approx(2)


def test_augmentation_adds_nothing_to_the_contract(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    found = burdens(("training.augment", {"kind": "gain", "low": 0.8, "high": 1.2}), experiment, None)
    assert (found["kind"], found["contract_fields"]) == ("augmentation", 0)
    assert found["ms_per_recording"] > 0


@pytest.mark.parametrize("removed", [None, ("evidence.subgroups", "sex")])
def test_other_lists_have_no_known_cost(experiment_file: Path, removed: tuple[str, str] | None) -> None:
    found = burdens(removed, load_experiment(experiment_file)[0], None)
    assert found == {"kind": "other", "ms_per_recording": None, "packages": [], "contract_fields": 0}


def test_every_step_with_packages_is_a_step() -> None:
    names = {option.model_fields["step"].default for option in Step.__args__[0].__args__}
    assert set(PACKAGES) <= names
