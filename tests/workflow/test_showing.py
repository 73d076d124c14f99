from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.workflow.showing import show


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
