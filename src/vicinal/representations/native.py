"""Loops in C++ that the package brings as source: compiled on the machine that runs them, where it has a compiler.

An option that chooses itself: whoever asks for a library gets None where it cannot be made, and has another way with
the same results. It knows files, a compiler and ctypes; not what the loops compute. ctypes lets other threads run
meanwhile.
"""

import os
import shutil
import subprocess
import tempfile
from ctypes import CDLL
from pathlib import Path

__all__ = ["is_loaded", "library"]

# For this very processor; neither fused nor reordered, so that sums round as NumPy's do.
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-std=c++17", "-fPIC", "-shared")
COMPILERS = ("c++", "g++", "clang++")
PATIENCE_S = 120

_made: dict[str, CDLL | None] = {}


def is_loaded(name: str) -> bool:
    """Return whether somebody asked for this library before: asking again costs nothing."""
    return name in _made


def library(name: str, *flags: str) -> CDLL | None:
    """Compile `<name>.cpp` of this folder (about a second) and load it, once for each process.

    Args:    name: of the source, without its suffix.  flags: after those that hold for all.
    Returns: None when there is no C++ compiler (`CXX`, or else the usual names), or it cannot make the library.
    """
    if name not in _made:
        _made[name] = _make(name, flags)
    return _made[name]


def _make(name: str, flags: tuple[str, ...]) -> CDLL | None:
    """Make the library in a folder that nobody else can write to, and delete it once it is loaded.

    So nothing stays that another processor, version or user could change or load.
    """
    compiler = next(filter(None, map(shutil.which, _compilers())), None)
    if compiler is None:
        return None
    source = Path(__file__).with_name(f"{name}.cpp")
    with tempfile.TemporaryDirectory(prefix="vicinal-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / f"{name}.so"
        command = [compiler, *FLAGS, *flags, "-o", str(made), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
            return CDLL(str(made))
        except (OSError, subprocess.SubprocessError):
            return None


def _compilers() -> tuple[str, ...]:
    chosen = os.environ.get("CXX")
    return (chosen,) if chosen else COMPILERS
