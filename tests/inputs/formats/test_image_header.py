import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vicinal.errors import FormatError
from vicinal.inputs.formats.image_header import check_jpeg, check_png


def saved(kind: str, **options) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"subsampling": 0}])
def test_what_pillow_writes_as_jpeg_passes(options) -> None:
    check_jpeg(saved("JPEG", **options), where="r")


def test_what_pillow_writes_as_png_passes() -> None:
    check_png(saved("PNG"), where="r")


@pytest.mark.parametrize(("check", "kind"), [(check_png, "PNG"), (check_jpeg, "JPEG")])
def test_every_cut_is_found(check, kind: str) -> None:
    data = saved(kind)
    for n in range(0, len(data) - 1, 7):
        with pytest.raises(FormatError, match=r"^r: "):
            check(data[:n], where="r")


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer(data: bytes) -> None:
    for check, start in ((check_png, b"\x89PNG\r\n\x1a\n"), (check_jpeg, b"\xff\xd8\xff")):
        with pytest.raises(FormatError, match=r"^r: "):
            check(start + data, where="r")
