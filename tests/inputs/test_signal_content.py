"""What may be wrong with a readable signal: refused with one error, converted, or flagged, and never silent."""

from dataclasses import replace

import numpy as np
import pytest

from vicinal.errors import ContractError
from vicinal.inputs.contract import Contract
from vicinal.inputs.facts import facts
from vicinal.inputs.prepare import prepare
from vicinal.inputs.violations import check
from vicinal.signal import Signal

RATE = 100.0
CONTRACT = Contract(
    channels=("I", "II"),
    rate_hz=RATE,
    duration_s=10,
    min_duration_s=5,
    units="mV",
    limits=(-10, 10),
    missing=0.01,
)


def good(seconds: float = 10.0) -> Signal:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2, round(seconds * RATE))).clip(-3, 3).astype(np.float32)
    return Signal(samples, ("I", "II"), ("mV", "mV"), RATE, id="x")


def with_samples(change) -> Signal:
    samples = good().samples.copy()
    change(samples)
    return replace(good(), samples=samples)


def set_row(row, value):
    def change(samples):
        samples[row] = value

    return change


REFUSED = {
    "128 too many missing": (
        with_samples(set_row((0, slice(0, 20)), np.nan)),
        "missing: expected at most 1.0%",
    ),
    "130 microvolts given as millivolts": (
        replace(good(), samples=good().samples * 1000),
        r"limits: .*\(is the unit of the recording right\?\)",
    ),
    "133 a tenth of a second": (good(0.1), "min_duration_s: expected at least 5 s, got 0.1 s"),
    "135 a missing lead": (
        replace(good(), samples=good().samples[:1], channels=("I",), units=("mV",)),
        "channels: .*missing II",
    ),
    "135 no value in a lead": (with_samples(set_row(1, np.nan)), "missing: .*in II, got 100.0%"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    signal, message = REFUSED[name]
    with pytest.raises(ContractError, match=message):
        prepare(signal, CONTRACT)


CONVERTED = {
    "128 one missing sample": (with_samples(set_row((0, 500), np.nan)), set()),
    "134 two days": (replace(good(), samples=np.tile(good().samples, (1, 17_280))), {"duration_s"}),
    "136 leads in another order": (
        replace(good(), samples=good().samples[::-1].copy(), channels=("II", "I")),
        {"channels"},
    ),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_is_converted_and_said_so(name: str) -> None:
    signal, fields = CONVERTED[name]
    assert {violation.field for violation in check(signal, CONTRACT)} == fields
    prepared = prepare(signal, CONTRACT)
    assert np.isfinite(prepared.samples).all()
    assert prepared.samples.shape == (2, 1000)
    if name.startswith("136"):
        np.testing.assert_array_equal(prepared.samples, prepare(good(), CONTRACT).samples)
    if name.startswith("128"):
        assert prepared.valid.sum() == 999


def test_127_a_constant_lead_is_flagged_as_flat() -> None:
    signal = with_samples(set_row(0, 1.5))
    assert facts(signal).channels[0].flat == 1.0
    scaled = CONTRACT.model_copy(update={"steps": CONTRACT.from_dict(
        CONTRACT.model_dump() | {"steps": [{"step": "scale", "by": "recording"}]}).steps})  # fmt: skip
    assert not prepare(signal, scaled).samples[0].any()


def test_131_a_clipped_lead_is_flagged() -> None:
    signal = replace(good(), samples=np.clip(np.repeat(good().samples, 4, axis=1)[:, :1000], -0.5, 0.5))
    assert all(channel.clipped > 0.5 for channel in facts(signal).channels)


@pytest.mark.parametrize("name", ["129 leads exchanged", "132 mains only", "137 sampled at 25, declared 100"])
def test_what_no_contract_can_see_is_documented(name: str) -> None:
    time = np.arange(1000) / RATE
    signal = {
        "129 leads exchanged": replace(good(), samples=good().samples[::-1].copy()),
        "132 mains only": replace(
            good(), samples=np.tile(np.sin(2 * np.pi * 50.1 * time), (2, 1)).astype(np.float32)
        ),
        "137 sampled at 25, declared 100": good(),
    }[name]
    assert check(signal, CONTRACT) == []
    assert np.isfinite(prepare(signal, CONTRACT).samples).all()
