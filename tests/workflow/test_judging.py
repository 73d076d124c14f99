from vicinal.scoretable import ScoreTable
from vicinal.workflow.judging import expected
from vicinal.workflow.running import Run


def test_what_to_expect_is_counted_on_the_rows(finished: Run) -> None:
    table = ScoreTable.read(finished.folder / "scores" / "calibration.parquet")
    assert finished.model is not None
    assert finished.model.policy is not None
    found = expected(table, finished.model.policy)
    assert [sum(counts) for counts in found["scores"].values()] == [len(table)]
    assert found["refusal_rate"] == 0
    assert {name: finished.model.reference[name] for name in found} == found
