"""Log-mel energies against a plain loop, and what a contract with them promises."""

import numpy as np
import pytest
from pydantic import ValidationError

from vicinal.inputs.contract import Contract
from vicinal.inputs.mel import FLOOR, filters_of, log_mel, mel_filters
from vicinal.inputs.prepare import prepare
from vicinal.inputs.steps import LogMel
from vicinal.signal import Events, Signal

RATE = 8000.0


def contract(**changes) -> Contract:
    step = {"step": "log_mel", "n_mels": 20, "window_s": 0.032, "hop_s": 0.01, "low_hz": 50.0} | changes
    return Contract(channels=("0",), rate_hz=RATE, duration_s=0.5, units="1", steps=(step,))


def sound(n: int, *, hz: float = 440.0, events: Events | None = None) -> Signal:
    samples = np.sin(2 * np.pi * hz * np.arange(n) / RATE).astype(np.float32)[None]
    return Signal(samples, ("0",), ("1",), RATE, id="x", events=events)


def test_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2, 1000))
    n_mels, window, hop, n_fft = 6, 200, 80, 256
    step = LogMel(n_mels=n_mels, window_s=window / RATE, hop_s=hop / RATE, low_hz=100.0, high_hz=3000.0)
    found = log_mel(samples, filters_of(step, RATE), window=window, hop=hop)
    mel = [2595 * np.log10(1 + f / 700) for f in (100.0, 3000.0)]
    edges = [
        700 * (10 ** ((mel[0] + (mel[1] - mel[0]) * k / (n_mels + 1)) / 2595) - 1) for k in range(n_mels + 2)
    ]
    for row, channel in enumerate(samples):
        for frame in range(13):
            taken = [channel[min(max(frame * hop - window // 2 + i, 0), 999)] for i in range(window)]
            hann = [0.5 - 0.5 * np.cos(2 * np.pi * i / window) for i in range(window)]
            spectrum = np.fft.rfft(np.multiply(taken, hann) / sum(hann), n_fft)
            for band in range(n_mels):
                left, centre, right = edges[band : band + 3]
                energy = 0.0
                for k, value in enumerate(spectrum):
                    f = k * RATE / n_fft
                    energy += abs(value) ** 2 * max(
                        0, min((f - left) / (centre - left), (right - f) / (right - centre))
                    )
                assert found[row * n_mels + band, frame] == pytest.approx(
                    np.log(max(energy, FLOOR)), abs=1e-9
                )
    assert found.shape == (12, 13)


def test_a_tone_lies_in_the_band_around_it() -> None:
    prepared = prepare(sound(4000, hz=1000.0), contract())
    filters = mel_filters(20, n_bins=129, rate_hz=RATE, low_hz=50.0, high_hz=4000.0)
    assert prepared.samples[:, 10:-10].mean(axis=1).argmax() == filters[:, 32].argmax()  # bin 32 is 1,000 Hz


def test_bands_become_channels_and_hops_positions() -> None:
    made = contract()
    assert made.input_shape == (20, 50)
    assert made.position_rate_hz == 100.0
    assert made.input_channels[:2] == ("0 mel 0", "0 mel 1")
    prepared = prepare(sound(2400), made)
    assert (prepared.samples.shape, prepared.length) == ((20, 50), 30)
    assert not prepared.samples[:, 30:].any()


def test_frames_do_not_know_the_rest_of_the_recording() -> None:
    whole, part = prepare(sound(4000), contract()), prepare(sound(2000), contract())
    np.testing.assert_array_equal(whole.samples[:, :23], part.samples[:, :23])


def test_events_go_to_the_nearest_frame() -> None:
    prepared = prepare(sound(2400, events=Events(np.array([0, 39, 40, 2399]), ("a",) * 4)), contract())
    assert prepared.event_positions.tolist() == [0, 0, 1, 29]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hop_s": 0.0101}, "hop_s 0.0101 is 80.8 samples at 8000 Hz"),
        ({"low_hz": 5000.0}, "expected low_hz below high_hz and both within 4000 Hz"),
        ({"high_hz": 4100.0}, "both within 4000 Hz"),
        ({"n_mels": 300}, "300 bands are too narrow for frames of 0.032 s"),
    ],
)
def test_what_cannot_be_is_refused(changes, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        contract(**changes)


def test_filters_stand_before_the_bands() -> None:
    steps = (
        {"step": "log_mel", "n_mels": 8, "window_s": 0.032, "hop_s": 0.01},
        {"step": "high_pass", "cutoff_hz": 50.0},
    )
    with pytest.raises(ValidationError, match="high_pass must stand before log_mel"):
        Contract(channels=("0",), rate_hz=RATE, duration_s=0.5, units="1", steps=steps)
