import numpy as np
import pyarrow as pa

from vicinal.inputs.datasets.own.listing import Listing


def names_of(listing, *names):
    return [
        None if k < 0 else listing.relative(k) for k in listing.find(pa.array(names, pa.string())).tolist()
    ]


def test_recordings_are_listed_once_and_headers_stand_for_their_signals(root):
    (root / "w.hea").write_text("w 1 250 2\nw.dat 16 100/mV\n")
    (root / "w.dat").write_bytes(bytes(4))
    (root / "notes.txt").write_text("no recording")
    (root / ".hidden.npy").write_bytes(b"")
    (root / ".cache").mkdir()
    np.save(root / ".cache" / "x.npy", np.zeros(3))
    (root / "labels.csv").write_text("file,label\n")
    listing = Listing(root, but=[root / "labels.csv"])
    assert [listing.relative(k) for k in range(len(listing))] == [
        "001.npy",
        "002.npy",
        "1.npy",
        "w.hea",
        "sub/a.npy",
    ]
    assert names_of(listing, "w", "w.dat", "w.hea", "w.mat") == ["w.hea", "w.hea", "w.hea", "w.hea"]


def test_a_name_may_leave_out_its_ending_and_its_folder_when_only_one_bears_it(root):
    listing = Listing(root)
    assert names_of(listing, "sub/a.npy", "sub/a", "a.npy", "a", "b", "") == ["sub/a.npy"] * 4 + [None, None]
    (root / "other").mkdir()
    np.save(root / "other" / "a.npy", np.zeros(3))
    assert names_of(Listing(root), "sub/a", "other/a", "a") == ["sub/a.npy", "other/a.npy", None]


def test_of_two_endings_the_bare_name_means_the_first_of_the_readers(root):
    (root / "1.csv").write_text("I [mV]\n1\n")
    assert names_of(Listing(root), "1", "1.npy") == ["1.csv", "1.npy"]


def test_a_link_that_leads_out_is_left_out_and_said(root):
    np.save(root.parent / "x.npy", np.zeros(3))
    (root / "x.npy").symlink_to(root.parent / "x.npy")
    (root / "y.npy").symlink_to(root / "1.npy")
    listing = Listing(root)
    assert listing.skipped == (("x.npy", "leads outside the folder"),)
    assert names_of(listing, "y", "x") == ["y.npy", None]


def test_why_a_name_is_no_recording(root):
    (root / "notes.txt").write_text("")
    listing = Listing(root)
    assert "leads outside" in listing.reject("../x")
    assert "only names relative to" in listing.reject("/etc/passwd")
    assert "is not in" in listing.reject("y")
    assert "is not in" in listing.reject("y" * 5000)
    assert "is no recording" in listing.reject("notes.txt")
