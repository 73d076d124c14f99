from tests.evidence.report.reports import full_report

from vicinal.evidence.report.blocks import Code, Facts, Fold, Paragraph
from vicinal.evidence.report.parts.made import made


def test_command_protocol_versions_and_experiment() -> None:
    blocks = made(full_report())
    assert blocks[0] == Code("vicinal run experiments/af.toml")
    assert blocks[1] == Facts(
        [
            ("title", "Atrial fibrillation <script>alert(1)</script> & more"),
            ("seed", "0"),
            ("evidence rows", "test"),
            ("role", "test"),
        ]
    )
    assert Paragraph("vicinal 0.1.0 · numpy 2.3.1", small=True) in blocks
    assert blocks[-1] == Fold("The experiment file", [Code('title = "Atrial fibrillation"')])
