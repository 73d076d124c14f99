import sys

import numpy as np
import pytest
from tests.inputs.formats.wfdb_writer import sound

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.audio_header import read_flac_header
from vicinal.inputs.formats.sound import sound_blocks


def whole(path, *, size=4096, kind="int32"):
    return np.concatenate(list(sound_blocks(path, read_flac_header(path), size=size, kind=kind)))


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_whole_numbers_come_back_as_they_were_stored_whatever_the_block(tmp_path, bits):
    top = 1 << bits - 1
    values = np.random.default_rng(0).integers(-top, top, (1000, 3))
    path = tmp_path / "r.dat"  # the suffix says nothing
    sound(path, values, bits=bits)
    for size in (1, 7, 5000):
        np.testing.assert_array_equal(whole(path, size=size) >> 32 - bits, values)
    np.testing.assert_allclose(whole(path, kind="float32"), values / top, atol=1e-7)


def damaged(tmp_path, at, change):
    path = tmp_path / "r.flac"
    sound(path, np.random.default_rng(0).integers(-99, 99, (5000, 1)), bits=16)
    data = bytearray(path.read_bytes())
    data[at : at + len(change)] = change
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("at", "change", "message"),
    [
        pytest.param(0, b"RIFF", "begins with fLaC", id="mark"),
        pytest.param(21, b"\xff\xff\xff\xff\xff", "got 68719476735", id="count"),
        pytest.param(22, b"\0\0\0\0", "at least 1.* got 0", id="unknown-count"),
        pytest.param(26, b"\1\2\3", "samples with the MD5 010203", id="md5"),
        pytest.param(-900, b"\1\2\3", "the soundfile library cannot|MD5|cut short", id="a-damaged-frame"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, at, change, message):
    with pytest.raises(FormatError, match=rf"r\.flac: .*({message})"):
        whole(damaged(tmp_path, at, change))


def test_a_file_that_ends_early_is_refused(tmp_path):
    path = damaged(tmp_path, 0, b"f")
    header = read_flac_header(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FormatError, match=r"r\.flac: "):
        list(sound_blocks(path, header, size=4096, kind="int32"))


def test_without_soundfile_the_extra_is_named(tmp_path, monkeypatch):
    path = damaged(tmp_path, 0, b"f")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[audio\]'"):
        whole(path)
