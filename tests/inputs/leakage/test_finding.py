from vicinal.inputs.leakage.finding import Finding, by_severity, some


def test_leaks_come_first_and_the_order_within_stays() -> None:
    found = [
        Finding(name, severity, "")
        for name, severity in zip("abcd", ("note", "leak", "warning", "leak"), strict=True)
    ]  # type: ignore[arg-type]
    assert [one.kind for one in by_severity(found)] == ["b", "d", "c", "a"]


def test_some_names_four() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list(range(9))) == "0, 1, 2, 3, ..."


def test_a_finding_is_json() -> None:
    assert Finding("k", "note", "m", ("a",)).to_dict() == {
        "kind": "k", "severity": "note", "message": "m", "ids": ["a"],
    }  # fmt: skip
