"""Pictures are written by Pillow, or by hand where a byte must be wrong."""

import functools
import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.reading import read

GREY = np.array([[0, 51, 102], [153, 204, 255]], dtype=np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], np.full_like(GREY, 51)], axis=2)


def saved(pixels, kind="PNG", **options) -> bytes:
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(stream, kind, **options)
    return stream.getvalue()


def write(folder, raw, name="r.png"):
    (folder / name).write_bytes(raw)
    return folder / name


def test_grey_and_colour_are_shares_of_full_brightness(tmp_path):
    signal = read(write(tmp_path, saved(GREY)))
    np.testing.assert_allclose(signal.samples, [[[0, 0.2, 0.4], [0.6, 0.8, 1]]], rtol=1e-6)
    assert (signal.axes, signal.channels, signal.units) == (("height", "width"), ("grey",), ("1",))
    assert (signal.rate_hz, signal.id) == (None, "r")
    colour = read(write(tmp_path, saved(COLOUR)))
    assert colour.channels == ("red", "green", "blue")
    np.testing.assert_allclose(colour.samples, COLOUR.transpose(2, 0, 1) / 255, rtol=1e-6)


def test_sixteen_bits_and_palettes_keep_their_values(tmp_path):
    deep = np.array([[0, 65535], [13107, 32768]], dtype=np.uint16)
    np.testing.assert_allclose(read(write(tmp_path, saved(deep))).samples, deep[None] / 65535, rtol=1e-6)
    palette = Image.fromarray(COLOUR).quantize(8)
    expected = np.asarray(palette.convert("RGB")).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(read(write(tmp_path, saved(palette))).samples, expected, rtol=1e-6)


def test_an_alpha_channel_of_opaque_pixels_is_left_out_and_bits_are_zero_or_one(tmp_path):
    opaque = np.dstack([COLOUR, np.full_like(GREY, 255)])
    signal = read(write(tmp_path, saved(opaque)))
    np.testing.assert_allclose(signal.samples, COLOUR.transpose(2, 0, 1) / 255, rtol=1e-6)
    assert signal.channels == ("red", "green", "blue")
    grey = read(write(tmp_path, saved(Image.fromarray(opaque).convert("LA"))))
    assert (grey.channels, grey.samples.shape) == (("grey",), (1, 2, 3))
    assert read(write(tmp_path, saved(GREY > 102))).samples.tolist() == [[[0, 0, 0], [1, 1, 1]]]


CORNERS = [(0, 0), (0, -1), (-1, -1), (-1, 0)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_146_every_rotation_brings_the_first_pixel_to_its_corner(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.zeros((2, 3), dtype=np.uint8)
    pixels[0, 0] = 255
    samples = read(write(tmp_path, saved(pixels, exif=exif))).samples[0]
    assert samples.shape == ((2, 3) if orientation < 5 else (3, 2))
    assert samples[CORNERS[(orientation - 1) % 4]] == 1


def test_jpeg_equals_what_pillow_decodes(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    raw = saved(pixels, "JPEG", quality=95)
    expected = np.asarray(Image.open(io.BytesIO(raw))).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(read(write(tmp_path, raw, "r.jpg")).samples, expected, rtol=1e-6)


def test_a_rotation_in_exif_is_carried_out(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn to the right to see it upright
    pixels = np.zeros((16, 32), dtype=np.uint8)
    pixels[:8] = 255
    signal = read(write(tmp_path, saved(pixels, "JPEG", exif=exif, quality=95), "r.jpeg"))
    assert signal.samples.shape == (1, 32, 16)
    assert signal.samples[0, :, 9:].min() > 0.9
    assert signal.samples[0, :, :7].max() < 0.1


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes, *, bits: int = 8, kind: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


ALPHA = np.dstack([COLOUR, np.full_like(GREY, 128)])
ANIMATED = saved(Image.fromarray(GREY), save_all=True, append_images=[Image.fromarray(255 - GREY)])
JPEG = saved(np.zeros((32, 32, 3), dtype=np.uint8) + 7, "JPEG")

BAD = {
    "142-60,000 x 60,000 in 100 bytes": (
        png(60_000, 60_000, zlib.compress(b"0")),
        "r.png",
        "expected 1 to 67108864 pixels",
    ),
    "142-smaller, but still too much": (
        png(8000, 8000, zlib.compress(b"0")),
        "r.png",
        "bytes that cannot hold them",
    ),
    "143-truncated JPEG": (JPEG[:-40], "r.jpg", "r.jpg"),
    "144-alpha": (saved(ALPHA), "r.png", "expected opaque pixels, got transparent ones"),
    "144-CMYK": (
        saved(Image.new("CMYK", (9, 9)), "JPEG"),
        "r.jpg",
        "got 4 channels of 8 bits.*CMYK is not converted",
    ),
    "144-transparent palette": (
        saved(Image.fromarray(COLOUR).quantize(8), transparency=0),
        "r.png",
        "got a chunk tRNS",
    ),
    "144-colour of 16 bits": (
        png(1, 1, zlib.compress(bytes(7)), bits=16, kind=2),
        "r.png",
        "got 16 bits, kind 2.*16 bits are read for grey alone",
    ),
    "145-animated": (ANIMATED, "r.png", "expected one picture, got a chunk acTL"),
    "146-no such rotation": (
        saved(GREY, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0\0\0\0\0"),
        "r.jpg",
        "EXIF orientation: expected 1 to 8, got 9",
    ),
    "wrong checksum": (
        saved(GREY).replace(b"IHDR", b"IHDR", 1)[:-6] + b"\0" * 6,
        "r.png",
        "does not have its checksum|chunk",
    ),
    "a JPEG named PNG": (JPEG, "r.png", "expected a PNG file"),
    "bytes behind the end": (saved(GREY) + b"x", "r.png", "IEND"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_refused(tmp_path, name):
    raw, file, message = BAD[name]
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, raw, file))
    assert file in str(caught.value)


def test_a_picture_has_no_rate(tmp_path):
    with pytest.raises(FormatError, match="expected no rate for a picture"):
        read(write(tmp_path, saved(GREY)), rate_hz=100.0)


def test_without_the_library_the_message_names_the_extra(tmp_path, monkeypatch):
    path = write(tmp_path, saved(GREY))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[images\]'"):
        read(path)


def misread(signal, mutant, name):
    """Each chunk of a PNG has a checksum; of a JPEG, the size is stated once."""
    if name == "r.png":
        right = signal.samples.shape == (3, 2, 3) and np.allclose(
            signal.samples, COLOUR.transpose(2, 0, 1) / 255
        )
        return None if right else "the pixels"
    at = mutant.index(b"\xff\xc0")
    stated = struct.unpack(">HH", mutant[at + 5 : at + 9])
    return None if mutant.count(b"\xff\xc0") > 1 or signal.samples.shape[1:] == stated else "the size"


def survive(folder, n):
    n_read = 0
    for name, good in (("r.png", saved(COLOUR)), ("r.jpg", JPEG)):
        for mutant in mutants(good, n=n, seed=5):
            path = write(folder, mutant, name)
            check = functools.partial(misread, mutant=mutant, name=name)
            n_read += answers(lambda path=path: read(path), names=name, misread=check) is not None
    return n_read


def test_mutants_are_refused_or_read_as_they_say(tmp_path):
    assert 0 < survive(tmp_path, 100) < 150


@pytest.mark.prove
def test_ten_thousand_mutants_each_are_refused_or_read_as_they_say(tmp_path):
    assert survive(tmp_path, 10_000) > 0
