from vicinal.inputs.formats.rows import ROW_READERS


def test_suffixes_are_lower_case() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in ROW_READERS)
