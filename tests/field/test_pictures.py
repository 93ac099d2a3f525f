"""Picture files as people have them: bit depths, transparency, formats and damage."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import audit
from audit.core.picture_formats import formats
from audit.core.pictures import PictureFile, read_picture
from audit.core.vocabulary import FILE_STATUSES

CASES = Path(__file__).parent / "cases" / "pictures"
GREY: NDArray[np.uint8] = (np.arange(64 * 64) % 251).reshape(64, 64).astype(np.uint8)
"""A grey picture of all brightnesses."""
COLOURS: NDArray[np.uint8] = np.stack([GREY, GREY[::-1], GREY.T], axis=2)


def read(image: Image.Image, path: Path, **options: object) -> PictureFile:
    """The picture after it was written to a file."""
    image.save(path, **options)  # type: ignore[arg-type]  # options of the format
    return read_picture(path)


def pixels(found: PictureFile) -> NDArray[np.int64]:
    assert found.status == "ok" and found.pixels is not None, found
    assert found.pixels.dtype == np.uint8 and found.pixels.shape[2] == 3
    return found.pixels.astype(np.int64)


@pytest.mark.parametrize("name", ["grey16.png", "grey16.tif"])
def test_grey_with_16_bits_is_scaled(tmp_path: Path, name: str) -> None:
    found = read(Image.fromarray(GREY.astype(np.uint16) * 257), tmp_path / name)
    assert (pixels(found) == GREY[..., None]).all()
    assert found.detail == "16-bit grey was scaled to 8 bits"


def test_a_portable_grey_map_with_16_bits_is_scaled(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 64 64 65535\n" + (GREY.astype(">u2") * 257).tobytes())
    assert (pixels(read_picture(path)) == GREY[..., None]).all()


@pytest.mark.parametrize(("largest", "stated"), [(1.0, 1), (255.0, 255), (65_535.0, 65_535)])
def test_float_is_scaled_by_its_range(tmp_path: Path, largest: float, stated: int) -> None:
    values = GREY.astype(np.float32) / 250 * largest
    found = read(Image.fromarray(values), tmp_path / "a.tif")
    assert np.abs(pixels(found)[..., 0] - GREY / 250 * 255).max() <= 0.5
    assert found.detail == f"float grey was scaled from 0 to {stated}"


@pytest.mark.parametrize("bad", [-1.0, 70_000.0, np.nan, np.inf])
def test_float_of_another_range_is_refused(tmp_path: Path, bad: float) -> None:
    values = GREY.astype(np.float32)
    values[0, 0] = bad
    found = read(Image.fromarray(values), tmp_path / "a.tif")
    assert found.status == "file_unsupported" and found.pixels is None
    assert found.detail.endswith("supported are 0 to 1, 255 or 65,535")


def test_16_bits_where_0_is_white(tmp_path: Path) -> None:
    inverted = (255 - GREY).astype(np.uint16) * 257
    found = read(Image.fromarray(inverted), tmp_path / "a.tif", tiffinfo={262: 0})
    assert (pixels(found) == GREY[..., None]).all()


def test_a_palette_is_read_by_its_colours(tmp_path: Path) -> None:
    palette = Image.fromarray(COLOURS).quantize(200)
    found = read(palette, tmp_path / "a.png")
    assert (pixels(found) == np.asarray(palette.convert("RGB"))).all()
    assert found.detail == ""


def test_what_is_behind_transparency_is_not_read(tmp_path: Path) -> None:
    alpha = np.zeros((64, 64), np.uint8)
    alpha[16:48, 16:48] = 255
    found = read(Image.fromarray(np.dstack([COLOURS, alpha])), tmp_path / "a.png")
    shown = pixels(found)
    assert (shown[16:48, 16:48] == COLOURS[16:48, 16:48]).all()
    shown[16:48, 16:48] = 255
    assert (shown == 255).all()
    assert found.detail == "transparency was composited on white"


def test_half_transparent_parts_are_mixed_with_white(tmp_path: Path) -> None:
    alpha = np.where(np.indices((64, 64))[0] % 2, 255, 51).astype(np.uint8)  # a fifth
    found = read(Image.fromarray(np.dstack([COLOURS, alpha])), tmp_path / "a.png")
    expected = COLOURS[::2] * 0.2 + 255 * 0.8
    assert np.abs(pixels(found)[::2] - expected).max() <= 1


def test_a_transparent_palette_and_grey_with_alpha(tmp_path: Path) -> None:
    palette = Image.fromarray(np.tile(np.array([0, 1], np.uint8), (8, 4)), "P")
    palette.putpalette([10, 20, 30, 200, 100, 50])
    found = read(palette, tmp_path / "a.png", transparency=0)
    assert pixels(found)[0, :2].tolist() == [[255, 255, 255], [200, 100, 50]]
    alpha = np.full((64, 64), 255, np.uint8)
    alpha[0] = 0
    found = read(Image.fromarray(np.dstack([GREY, alpha])), tmp_path / "b.png")
    assert (pixels(found)[0] == 255).all() and (pixels(found)[1:] == GREY[1:, :, None]).all()


def test_an_opaque_alpha_channel_changes_nothing(tmp_path: Path) -> None:
    opaque = np.full((64, 64), 255, np.uint8)
    found = read(Image.fromarray(np.dstack([COLOURS, opaque])), tmp_path / "a.png")
    assert (pixels(found) == COLOURS).all() and found.detail == ""


@pytest.mark.parametrize(("name", "format"), [("a.jp2", "JPEG2000"), ("a.avif", "AVIF")])
def test_newer_formats_are_read_where_pillow_has_them(tmp_path: Path, name: str, format: str) -> None:
    if format not in formats():
        pytest.skip(f"this Pillow has no {format}")
    smooth = np.asarray(Image.fromarray(COLOURS).resize((8, 8)).resize((64, 64), Image.Resampling.BILINEAR))
    found = read(Image.fromarray(smooth), tmp_path / name)
    assert np.abs(pixels(found) - smooth).mean() < 8
    assert found.detail == ""


def test_an_avif_of_another_encoder_is_read() -> None:
    if "AVIF" not in formats():
        pytest.skip("this Pillow has no AVIF")
    assert pixels(read_picture(CASES / "avif.avif")).shape == (224, 224, 3)


def test_heic_is_read_or_the_supported_formats_are_named() -> None:
    found = read_picture(CASES / "heic.heic")
    if "HEIF" in formats():
        assert found.status in ("ok", "unreadable", "file_truncated")
        return
    assert found.status == "file_unsupported"
    assert found.detail == (
        f"HEIC is not supported; use one of {', '.join(formats())}, or install the package pillow-heif"
    )
    assert "PNG, JPEG" in found.detail


def test_a_pointer_is_named_with_how_to_get_the_file() -> None:
    found = read_picture(CASES / "lfs.jpg")
    assert found.status == "file_pointer"
    assert found.detail == "a git-lfs pointer, not the picture itself; get the pictures with: git lfs pull"


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    found = read_picture(tmp_path / "a.png")
    assert (found.status, found.detail) == ("file_empty", "the file is empty: it has 0 bytes")


def test_a_truncated_picture_is_named() -> None:
    found = read_picture(CASES / "trunc.jpg")
    assert (found.status, found.pixels) == ("file_truncated", None)
    assert found.detail == "no picture that can be decoded: the end of the file is missing"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_the_start_of_a_picture_is_truncated_in_every_format(tmp_path: Path, format: str, share: float) -> None:
    if format not in formats():
        pytest.skip(f"this Pillow has no {format}")
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(whole, format)
    path = tmp_path / "a"
    path.write_bytes(whole.getvalue())
    assert read_picture(path).status == "ok"
    path.write_bytes(whole.getvalue()[: int(len(whole.getvalue()) * share)])
    found = read_picture(path)
    assert found.status == "file_truncated" and found.pixels is None


def broken(path: Path, how: str) -> None:
    if how == "text":
        path.write_text("no picture")
    elif how == "folder":
        path.mkdir()
    elif how == "postscript":
        path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    elif how == "header only":
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    elif how == "damaged":
        whole = io.BytesIO()
        Image.fromarray(COLOURS).save(whole, "PNG")
        data = bytearray(whole.getvalue())
        data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
        path.write_bytes(data)


@pytest.mark.parametrize("how", ["text", "folder", "postscript", "header only", "damaged", "absent"])
def test_messages_have_no_address_and_no_path(tmp_path: Path, how: str) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        broken(tmp_path / name / f"{name}.jpg", how)
        found.append(read_picture(tmp_path / name / f"{name}.jpg"))
    assert found[0] == found[1]
    assert found[0].status in FILE_STATUSES and found[0].detail
    assert "0x" not in found[0].detail and str(tmp_path) not in found[0].detail


def test_two_people_in_one_picture_are_counted() -> None:
    portraits = sorted((audit.embedded("synthetic_bilingual") / "portraits").glob("*.jpg"))[:2]
    left, right = (np.asarray(Image.open(path).convert("RGB")) for path in portraits)
    alone, together = audit.instrument("embedded").read([left, np.concatenate([left, right], axis=1)])
    assert (alone.faces, together.faces) == (1, 2)
