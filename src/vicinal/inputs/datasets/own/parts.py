"""Parts: the words with which people name the parts of a published split.

Knows words only.
"""

__all__ = ["part_called"]

_WORDS = {
    "train": ("train", "training", "tr", "learn", "learning"),
    "validation": ("validation", "val", "valid", "dev", "development", "tune", "tuning"),
    "calibration": ("calibration", "cal", "calib"),
    "test": ("test", "testing", "te", "eval", "evaluation", "holdout", "hold_out"),
    "unused": ("unused", "none", "exclude", "excluded"),
}
_PARTS = {word: part for part, words in _WORDS.items() for word in words}


def part_called(word: str) -> str | None:
    """Return the part of a split that a word names, whatever its case; None when it names none."""
    return _PARTS.get(word.strip().casefold())
