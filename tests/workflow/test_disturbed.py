from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.prepare import prepare
from vicinal.signal import Signal
from vicinal.workflow.disturbed import UNDISTURBED, jobs, make_versions, versions_of

CONTRACT = Contract.model_validate(
    {
        "channels": ["ECG"], "rate_hz": 500, "duration_s": 2, "units": "mV", "limits": [-50, 50],
        "steps": [{"step": "resample"}, {"step": "notch", "frequency_hz": 50, "width_hz": 5}],
    }
)  # fmt: skip
RECORDINGS = synthetic.catalogue(
    None, n_subjects=6, clips_per_subject=1, rate_hz=500.0, duration_s=3.0
).recordings


def made(names: list[str], read: object = synthetic.read) -> list[dict[tuple[str, float], np.ndarray | str]]:
    """Return for each recording its samples, or the reason, by version."""
    found = []
    versions = versions_of(names, CONTRACT)
    for job in jobs(RECORDINGS, read, CONTRACT, names, seed=3):  # type: ignore[arg-type]
        for one in make_versions(job):
            rows = iter(one.samples)
            found.append({v: reason or next(rows) for v, reason in zip(versions, one.refused, strict=True)})
    return found


def test_undisturbed_is_what_prepare_gives() -> None:
    for recording, one in zip(RECORDINGS, made(["gain"]), strict=True):
        np.testing.assert_array_equal(one[UNDISTURBED], prepare(synthetic.read(recording), CONTRACT).samples)


def test_they_act_before_preparation() -> None:
    """A notch in the contract takes the hum of its own frequency away, and no other."""
    for one in made(["hum50", "hum60", "gain"]):
        whole = np.asarray(one[UNDISTURBED])
        at_50, at_60 = (np.abs(np.asarray(one[name, 2.0]) - whole).max() for name in ("hum50", "hum60"))
        assert at_50 < 0.1
        assert at_60 == pytest.approx(2, abs=0.1)
        np.testing.assert_allclose(np.asarray(one["gain", 2.0]), 2 * whole, atol=1e-4)


def test_what_the_contract_refuses_is_said_and_the_rest_goes_on() -> None:
    def loud(recording: Recording) -> Signal:
        signal = synthetic.read(recording)
        return Signal(signal.samples * 20 if recording == RECORDINGS[0] else signal.samples,
                      signal.channels, signal.units, signal.rate_hz, id=signal.id)  # fmt: skip

    first, second, *_ = made(["gain", "rate"], loud)
    assert "limits" in str(first["gain", 4.0])
    assert isinstance(second["gain", 4.0], np.ndarray)
    # Stated at a tenth of a second less and more: time is stretched, not refused, since the contract resamples.
    assert isinstance(second["rate", 0.9], np.ndarray)
    assert not np.array_equal(second["rate", 0.9], second[UNDISTURBED])


def test_a_rate_that_the_contract_does_not_resample_is_refused() -> None:
    strict = CONTRACT.model_copy(update={"steps": ()})
    (job,) = jobs(RECORDINGS[:1], synthetic.read, strict, ["rate"], seed=0)
    (one,) = make_versions(job)
    assert one.refused[0] == ""
    assert all("rate_hz" in reason for reason in one.refused[1:])


def test_no_reason_tells_in_which_folder_a_file_lay(tmp_path: Path) -> None:
    def read(recording: Recording) -> Signal:
        if recording.id == "b":
            raise FormatError(f"{recording.path} is broken.")
        return replace(synthetic.read(RECORDINGS[0]), source=str(recording.path))

    recordings = [replace(RECORDINGS[0], id=name, path=tmp_path / f"{name}.csv") for name in "ab"]
    (job,) = jobs(recordings, read, CONTRACT.model_copy(update={"limits": (-0.1, 0.1)}), ["gain"], seed=0)
    for one in make_versions(job):
        assert all(reason and str(tmp_path) not in reason for reason in one.refused)
        assert f"{one.id}.csv" in one.refused[0]


def test_an_unreadable_recording_is_refused_in_every_version() -> None:
    def broken(recording: Recording) -> Signal:
        raise FormatError(f"{recording.id} is broken.")

    (job,) = jobs(RECORDINGS[:1], broken, CONTRACT, ["gain"], seed=0)
    (one,) = make_versions(job)
    assert set(one.refused) == {f"{RECORDINGS[0].id} is broken."}
    assert one.samples.shape == (0, 1, 1000)


def test_what_is_drawn_does_not_depend_on_the_order_or_the_size_of_the_work() -> None:
    alone = make_versions(jobs(RECORDINGS[3:4], synthetic.read, CONTRACT, ["shift", "muscle"], seed=3)[0])[0]
    among = made(["muscle", "shift"])[3]
    names = versions_of(["shift", "muscle"], CONTRACT)
    for version, samples in zip(names, alone.samples, strict=True):
        np.testing.assert_array_equal(samples, among[version])


@pytest.mark.parametrize(
    ("n", "dropped", "swapped"), [(1, [1.0], [1.0]), (2, [1.0], [1.0]), (4, [1, 2, 3], [1, 2])]
)
def test_strengths_need_channels(n: int, dropped: list[float], swapped: list[float]) -> None:
    contract = CONTRACT.model_copy(update={"channels": tuple("abcd"[:n])})
    versions = versions_of(["dropped", "swapped"], contract)[1:]
    assert [strength for name, strength in versions if name == "dropped"] == dropped
    assert [strength for name, strength in versions if name == "swapped"] == swapped


def test_channels_that_the_contract_does_not_name_are_left_alone() -> None:
    def two(recording: Recording) -> Signal:
        signal = synthetic.read(recording)
        samples = np.concatenate([np.ones_like(signal.samples), signal.samples])
        return Signal(samples, ("other", "ECG"), ("mV", "mV"), signal.rate_hz, id=signal.id)

    (job,) = jobs(RECORDINGS[:1], two, CONTRACT, ["dropped"], seed=0)
    (one,) = make_versions(job)
    assert "there is 1" in one.refused[1]
