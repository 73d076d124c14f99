import re

from vicinal.workflow.running import Run


def test_the_report_holds_the_run(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    assert "Made-up hearts, few" in page
    assert f"{finished.evidence['metrics']['auroc']['value']:.3f}" in page
    assert "conv 4 window 20 stride 5" in page
    assert page.count("<svg") >= 5


def test_the_report_asks_for_nothing_from_anywhere(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)([^"']+)""", page) == []
    assert str(finished.folder) not in page
