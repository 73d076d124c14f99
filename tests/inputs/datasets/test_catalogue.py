import pickle

import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording


def recording(name="a", labels=("N",), subject=None):
    return Recording(name, None, subject, subject or name, labels, options={"rate_hz": 300.0})


def test_a_catalogue_travels_to_other_processes():
    catalogue = Catalogue("x", ("N",), (recording(),), has_subjects=False)
    assert pickle.loads(pickle.dumps(catalogue)) == catalogue


def test_all_problems_are_named_at_once():
    rows = (recording(), recording(), recording("b", ("V",)))
    with pytest.raises(
        FormatError, match=r"ids repeat: a; labels V are not among .*; a recording lacks its subject"
    ):
        Catalogue("x", ("N",), rows, has_subjects=True)
