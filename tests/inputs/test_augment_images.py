import numpy as np
import pytest

from vicinal.inputs.augment import AUGMENTATIONS, augment, parse_augment
from vicinal.inputs.augment_images import flip_across, flip_down, image_shift

IMAGES = [kind for kind, entry in AUGMENTATIONS.items() if entry.axes == "height, width"]


def images(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(7).uniform(1, 2, size=(n, 3, 4, 6)).astype(np.float32)
    return x, np.full(n, 24)


def slow_shift(image: np.ndarray, down: int, across: int) -> np.ndarray:
    moved = np.zeros_like(image)
    for i in range(image.shape[1]):
        for j in range(image.shape[2]):
            if 0 <= i - down < image.shape[1] and 0 <= j - across < image.shape[2]:
                moved[:, i, j] = image[:, i - down, j - across]
    return moved


@pytest.mark.parametrize("kind", IMAGES)
def test_every_augmentation_of_images_is_pure_and_seeded_and_share_0_touches_nothing(kind: str) -> None:
    x, lengths = images(20)
    before = x.copy()
    steps = parse_augment([{"kind": kind, **({"limit": 0.5} if kind == "image_shift" else {})}])
    one, same = (augment(x, lengths, steps, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(x, before)
    assert one.dtype == np.float32
    assert one.shape == x.shape
    assert (one != x).any()
    none = augment(x, lengths, parse_augment([{"kind": kind, "share": 0}]), np.random.default_rng(3))
    np.testing.assert_array_equal(none, x)


def test_flips_mirror_about_half_of_the_images() -> None:
    x, lengths = images(100)
    for flip, axis in ((flip_across, 2), (flip_down, 1)):
        y = flip(x, lengths, np.random.default_rng(0))
        mirrored = [np.array_equal(b, np.flip(a, axis=axis)) for a, b in zip(x, y, strict=True)]
        kept = [np.array_equal(b, a) for a, b in zip(x, y, strict=True)]
        assert sorted(set(np.add(mirrored, kept))) == [1]
        assert 30 < sum(mirrored) < 70


def test_a_shift_is_that_of_a_slow_reference_and_reaches_its_limits() -> None:
    x, lengths = images(300)
    y = image_shift(x, lengths, np.random.default_rng(0), limit=0.5)
    seen = set()
    for before, after in zip(x, y, strict=True):
        found = [
            (i, j)
            for i in range(-2, 3)
            for j in range(-3, 4)
            if np.array_equal(after, slow_shift(before, i, j))
        ]
        assert len(found) == 1
        seen.add(found[0])
    assert {i for i, _ in seen} == set(range(-2, 3))
    assert {j for _, j in seen} == set(range(-3, 4))
