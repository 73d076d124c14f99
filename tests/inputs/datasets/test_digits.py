from collections import Counter

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets import digits
from vicinal.inputs.datasets.catalogue import Recording


def test_all_images_are_there_with_their_published_counts() -> None:
    made = digits.catalogue()
    counts = Counter(one.labels[0] for one in made.recordings)
    assert [counts[name] for name in digits.CLASSES] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert not made.has_subjects
    assert any("new writers" in note for note in made.notes)


def test_an_image_is_grey_between_paper_and_ink() -> None:
    signal = digits.read(digits.catalogue().recordings[0])
    assert (signal.axes, signal.channels, signal.units) == (("height", "width"), ("grey",), ("1",))
    assert signal.samples.shape == (1, 8, 8)
    np.testing.assert_array_equal(signal.samples[0, 0] * 16, [0, 0, 5, 13, 9, 1, 0, 0])
    signal.samples[:] = 7  # a reader may change what it got
    assert digits.read(digits.catalogue().recordings[0]).samples.max() <= 1


@pytest.mark.parametrize("options", [{}, {"number": 1797}, {"number": "0"}])
def test_foreign_recordings_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(FormatError, match="expected a number from 0 to 1796"):
        digits.read(Recording("x", None, None, "x", (), options=options))
