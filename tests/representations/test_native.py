"""Compiled where a compiler is, None where it is not: the same results are others' tests."""

import shutil

import pytest

from vicinal.representations import native


@pytest.fixture(autouse=True)
def _nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_made", {})


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_a_library_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "g++")
    assert not native.is_loaded("ppv")
    made = native.library("ppv")
    assert made is not None
    assert made.count_above
    assert native.is_loaded("ppv")
    assert native.library("ppv") is made


@pytest.mark.parametrize("compiler", ["no-such-compiler", "false"])
def test_without_a_compiler_that_works_there_is_none(compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", compiler)
    assert native.library("ppv") is None
    assert native.is_loaded("ppv")  # it need not be tried again
