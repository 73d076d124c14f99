import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.proposal.task import propose_task


def catalogue(*labels: str) -> Catalogue:
    rows = tuple(
        Recording(f"r{k}", None, None, f"r{k}", tuple(text.split())) for k, text in enumerate(labels)
    )
    return Catalogue(
        "made", tuple(sorted({label for row in rows for label in row.labels})), rows, has_subjects=False
    )


@pytest.mark.parametrize(
    ("labels", "task", "positive", "why"),
    [
        (("N", "AF", "AF"), "binary", ("AF",), "N reads like the usual one"),
        (("0", "1"), "binary", ("1",), "0 reads like the usual one"),
        (("x", "y", "y"), "binary", ("x",), "x is the rarer one"),
        (("x", "y"), "binary", ("x",), "x is as good a guess as the other"),
        (("a", "b", "c"), "classes", (), "exactly one of the classes a (1), b (1), c (1)"),
        (("a", "b a"), "labels", (), "none or several"),
        (("a", ""), "labels", (), "none or several"),
    ],
)
def test_the_labels_decide(labels: tuple[str, ...], task: str, positive: tuple[str, ...], why: str) -> None:
    found = propose_task(catalogue(*labels))
    assert (found.task, found.positive) == (task, positive)
    assert why in found.why
    assert found.is_clear == ("guess" not in why)


def test_one_class_is_no_task() -> None:
    with pytest.raises(
        ExperimentError, match=r"expected recordings of at least two classes, got only a \(2\)"
    ):
        propose_task(catalogue("a", "a"))
