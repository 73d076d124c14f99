import numpy as np
import pytest

from vicinal.inputs.datasets.own.plausible import oddities
from vicinal.inputs.labels import LabelTable, text_column


def said(name, *cells):
    table = LabelTable("t", {name: text_column(cells)}, np.arange(len(cells)))
    return list(oddities(table, [name]))


@pytest.mark.parametrize(
    ("name", "cells", "sentence"),
    [
        ("Age", ("61", "-1", "300", ""), "column Age: 2 cells are no age from 0 to 130 (first '-1')"),
        ("patient age", ("old",), "column patient age: 1 cells are no age from 0 to 130 (first 'old')"),
        ("sex", ("M", "f", "X"), "column sex: 1 cells are no sex that is usually written so (first 'X')"),
        ("rec_date", ("32/13/2020", "5.5.2020"), "column rec_date: 1 cells are no date (first '32/13/2020')"),
        (
            "sample_weight",
            ("0", "-1"),
            "column sample_weight weighs nothing: rows count alike; it serves subgroups only",
        ),
    ],
)
def test_what_cannot_be_is_said(name, cells, sentence):
    assert said(name, *cells) == [sentence]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("age", ("0", "61.5", "89", "")),
        ("sex", ("male", "F", "1.0")),
        ("date", ("2020-02-29", "31/12/2020", "12/31/2020", "31.12.20 10:30:00")),
        ("weight_kg", ("-5",)),
        ("stage", ("300",)),
    ],
)
def test_what_can_be_is_not(name, cells):
    assert said(name, *cells) == []
