from vicinal.evidence.card import write_card


def test_the_card_says_what_the_evidence_says() -> None:
    evidence = {
        "metrics": {
            "auroc": {"value": 0.97123, "low": 0.95, "high": 0.99},
            "ppv": {"value": None, "low": None, "high": None},
            "brier": {"value": 0.02, "low": None, "high": None},
        },
        "policy": {"aim": "sensitivity >= 0.95"},
        "meaning": {"sentence": "Of 1,000 people, 20 have A."},
        "protocol": {
            "title": "AF", "classes": ["A"], "rows": {"train": 5000, "test": 1000}, "subjects": "not known",
            "notes": ["one note"], "threshold_rows": "calibration", "command": "vicinal run x.toml",
            "n_steps": 1234, "seed": 2,
        },
    }  # fmt: skip
    card = write_card(evidence, network="conv 8 window 3\nmean | dense classes")

    assert card.startswith("# AF\n")
    assert "    conv 8 window 3\n    mean | dense classes" in card
    assert "5,000 train, 1,000 test recordings; subjects not known. one note" in card
    assert "| auroc | 0.971 | 0.950 to 0.990 |" in card
    assert "| brier | 0.020 |  |" in card
    assert "ppv" not in card
    assert "Aim: sensitivity >= 0.95, fitted on calibration rows. Of 1,000 people, 20 have A." in card
    assert "`vicinal run x.toml` (1,234 steps, seed 2)" in card
