from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.augment import parse_augment
from vicinal.inputs.formats.reading import read
from vicinal.workflow.showing import _before_and_after, show


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    rows = "\n".join(f"{np.sin(k / 5):.4f},{k % 7}" for k in range(2000))
    path.write_text(f"II [mV],resp [1]\n{rows}\n")
    return path


def test_a_recording_is_said_and_drawn(recording: Path, tmp_path: Path) -> None:
    shown = show(
        recording, png=tmp_path / "a.png", html=tmp_path / "a.html", rate_hz=100, start_s=2, duration_s=4
    )
    assert shown.window_s == (2.0, 6.0)
    assert shown.facts.duration_s == 20.0
    assert matplotlib.image.imread(tmp_path / "a.png").shape[1] == pytest.approx(100 / 25.4 * 150, abs=2)
    page = (tmp_path / "a.html").read_text()
    assert "2 channels of 2000 positions (time) at 100 Hz, 20 s." in page
    assert "2 to 6 s, 25 mm/s, height scaled to fit (1)" in page
    assert str(tmp_path) not in page
    assert "http" not in page


def test_a_short_recording_is_drawn_whole(recording: Path) -> None:
    assert show(recording, rate_hz=1000).window_s == (0.0, 2.0)


def test_a_part_outside_the_recording_is_refused(recording: Path) -> None:
    with pytest.raises(ExperimentError, match=r"--start-s 30: expected a second in 0 to 20"):
        show(recording, rate_hz=100, start_s=30)


def test_before_and_after_an_augmentation_are_drawn_by_the_seed(recording: Path, tmp_path: Path) -> None:
    def draw(seed: int, *augmentations: str) -> str:
        html = tmp_path / "a.html"
        show(recording, html=html, rate_hz=100, duration_s=4, augmentations=augmentations, seed=seed)
        return html.read_text()

    one = draw(0, "wander level=2", "cut_out width_s=1 share=1")
    assert "II, augmented" in one
    assert one.count('class="name"') == 2 * draw(0).count('class="name"')
    assert one == draw(0, "wander level=2", "cut_out width_s=1 share=1")
    assert one != draw(1, "wander level=2", "cut_out width_s=1 share=1")


def test_the_upper_trace_is_untouched_and_the_lower_one_changed(recording: Path) -> None:
    signal = read(recording, rate_hz=100)
    steps = parse_augment([{"kind": "gain", "low": 2, "high": 2}])
    both = _before_and_after(signal, slice(100, 300), steps, seed=0)
    np.testing.assert_array_equal(both.samples[::2], signal.samples)
    np.testing.assert_allclose(both.samples[1::2, 100:300], 2 * signal.samples[:, 100:300])
    assert both.units == ("mV", "mV", "1", "1")


def test_an_image_is_drawn_beside_its_augmented_self(tmp_path: Path) -> None:
    matplotlib.image.imsave(tmp_path / "a.png", np.random.default_rng(0).random((8, 6, 3)))
    before = read(tmp_path / "a.png")
    both = _before_and_after(before, slice(0, 6), parse_augment([{"kind": "flip_across"}]), seed=2)
    assert both.samples.shape == (*before.samples.shape[:2], 12)
    np.testing.assert_array_equal(both.samples[:, :, 6:], before.samples[:, :, ::-1])
    show(tmp_path / "a.png", html=tmp_path / "a.html", augmentations=["flip_across"], seed=2)
    assert "data:image/png" in (tmp_path / "a.html").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wandr", "did you mean 'wander'"),
        ("wander level=much", "level must be a number, got 'much'"),
        ("flip_across", "expected rows of shape"),
        ("", "no kind ''"),
    ],
)
def test_a_wrong_augmentation_is_refused(recording: Path, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        show(recording, rate_hz=100, png=tmp_path / "a.png", augmentations=[text])


def test_an_augmentation_that_is_drawn_nowhere_is_refused(recording: Path) -> None:
    with pytest.raises(ExperimentError, match="expected --png or --html"):
        show(recording, rate_hz=100, augmentations=["wander"])
