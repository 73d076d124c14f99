"""The wheel holds everything that the package needs, and imports from outside the checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import importlib.resources as resources
import vicinal
assert vicinal.__file__.startswith(sys.argv[1]), vicinal.__file__
from vicinal.representations.presets import NETWORKS
assert "resnet1d" in NETWORKS
assert (resources.files("vicinal.workflow") / "founding.toml").is_file()
assert (resources.files("vicinal.evidence.report") / "report.html.j2").is_file()
assert all((resources.files("vicinal.representations") / name).is_file() for name in ("ppv.cpp", "filtering.cpp"))
assert (resources.files("vicinal") / "py.typed").is_file()
print(vicinal.__version__)
"""


@pytest.mark.slow
def test_the_wheel_is_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(target)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "0.1.0"
    names = [path.name for path in target.rglob("*")]
    assert "tests" not in names
