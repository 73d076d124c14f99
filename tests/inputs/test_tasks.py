from dataclasses import replace

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.tasks import truth


def catalogue(*labels: str) -> Catalogue:
    recordings = tuple(
        Recording(id=f"r{k}", path=None, subject=None, group=f"r{k}", labels=tuple(text.split()))
        for k, text in enumerate(labels)
    )
    return Catalogue(name="made", classes=("N", "AF", "O"), recordings=recordings, has_subjects=False)


def test_binary_is_one_or_more_classes_against_the_rest() -> None:
    classes, y = truth(catalogue("N", "AF", "O"), task="binary", positive=("AF",))
    assert classes == ("AF",)
    assert y.dtype == np.float64
    assert y.tolist() == [[0], [1], [0]]
    classes, y = truth(catalogue("N", "AF", "N O"), task="binary", positive=("AF", "O"))
    assert (classes, y.tolist()) == (("AF+O",), [[0], [1], [1]])


def test_classes_take_exactly_one_and_labels_any_number() -> None:
    assert truth(catalogue("N", "AF"), task="classes")[1].tolist() == [[1, 0, 0], [0, 1, 0]]
    classes, y = truth(catalogue("N AF", "", "O"), task="labels", classes=("O", "N"))
    assert (classes, y.tolist()) == (("O", "N"), [[0, 1], [0, 0], [1, 0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "binary"}, "say which of N, AF, O are `positive`"),
        ({"task": "binary", "positive": ("A",)}, "no class 'A'.*'AF'"),
        ({"task": "binary", "positive": ("xyz",)}, "no class 'xyz'; known: N, AF, O"),
        ({"task": "binary", "positive": ("AF", "AF")}, "class 'AF' is given 2 times"),
        ({"task": "binary", "positive": ("N", "AF", "O")}, "every class is positive"),
        ({"task": "binary", "positive": ("AF",), "classes": ("N",)}, "a binary task takes `positive`"),
        ({"task": "classes", "positive": ("AF",)}, "this one takes `classes`"),
        (
            {"task": "classes", "classes": ("N", "O")},
            r"1 recordings do not have exactly one of N, O \(first r1\)",
        ),
        ({"task": "beats"}, "expected 'binary', 'classes', 'labels' or 'events'"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        truth(catalogue("N", "AF", "O"), **options)


def test_recordings_without_a_label_are_refused_where_one_is_needed() -> None:
    for options in ({"task": "binary", "positive": ("AF",)}, {"task": "classes"}):
        with pytest.raises(ExperimentError, match=r"1 recordings have no label \(first r1\)"):
            truth(catalogue("N", "", "AF"), **options)


def test_the_truth_of_events_is_in_the_recordings() -> None:
    classes, found = truth(catalogue("", ""), task="events", classes=("AF",))
    assert classes == ("AF",)
    assert found.shape == (2, 0)
    with pytest.raises(ExperimentError, match="say which symbols of the events are `classes`"):
        truth(catalogue("", ""), task="events")


def test_events_have_the_classes_that_the_data_list() -> None:
    listed = replace(catalogue("", ""), event_classes=("N", "V"))
    assert truth(listed, task="events")[0] == ("N", "V")
    assert truth(listed, task="events", classes=("V",))[0] == ("V",)
    with pytest.raises(ExperimentError, match="no class 'AF'"):
        truth(listed, task="events", classes=("AF",))
