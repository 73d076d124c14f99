import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.class_folders import by_class_folders
from vicinal.inputs.datasets.own.listing import Listing


def made(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.zeros(3))
    return Listing(folder)


def test_sub_folders_are_classes(tmp_path):
    found = by_class_folders(
        made(tmp_path, "AF/1.npy", "AF/deep/2.npy", "N/1.npy", "loose.npy"), options={"root": "r"}
    )
    assert found.classes == ("AF", "N")
    assert [(one.id, one.labels) for one in found.recordings] == [
        ("AF/1", ("AF",)),
        ("AF/deep/2", ("AF",)),
        ("N/1", ("N",)),
    ]
    assert found.skipped == (("loose.npy", "not in the folder of a class"),)
    assert found.officials == {}


def test_train_and_test_above_the_classes_are_a_published_split(tmp_path):
    found = by_class_folders(
        made(tmp_path, "Train/AF/1.npy", "Train/N/2.npy", "test/N/1.npy", "val/N/9.npy"), options={}
    )
    assert found.classes == ("AF", "N")
    assert found.officials == {"folders": ("train", "train", "test", "validation")}


def test_classes_may_be_called_train_and_test_when_nothing_lies_deeper(tmp_path):
    assert by_class_folders(made(tmp_path, "train/1.npy", "test/2.npy"), options={}).classes == (
        "test",
        "train",
    )


def test_nothing_in_sub_folders_is_another_layout(tmp_path):
    assert by_class_folders(made(tmp_path, "1.npy"), options={}) is None


def test_files_that_differ_only_in_their_ending_are_refused(tmp_path):
    listing = made(tmp_path, "N/1.npy")
    (tmp_path / "N" / "1.csv").write_text("")
    with pytest.raises(FormatError, match="N/1: several files differ only in their ending"):
        by_class_folders(Listing(listing.root), options={})
