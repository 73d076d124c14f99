import hashlib
from pathlib import Path

import pytest

from vicinal.errors import PathError
from vicinal.workflow.getting import get


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(PathError, match="no public data set 'cinc'"):
        get("cinc")


def test_a_set_comes_from_a_folder_at_the_rate_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "records500/00000").mkdir(parents=True)
    lines = []
    for name in ("ptbxl_database.csv", "records500/00000/00001_hr.hea"):
        (tmp_path / name).write_bytes(name.encode())
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()} {name}\n")
    (tmp_path / "SHA256SUMS.txt").write_text("".join(lines))
    folder = get("ptbxl", source=str(tmp_path), rate_hz=500)
    assert (folder / "records500/00000/00001_hr.hea").is_file()
