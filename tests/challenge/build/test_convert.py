"""Every kind of image that people have becomes a clean JPEG, or a reason with its line."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from whaledo.challenge.build.convert import Converted, convert
from whaledo.challenge.build.leaks import other_segments
from whaledo.challenge.build.nearness import ALIKE_BITS, alike, fingerprint, stacked
from whaledo.challenge.build.table import Box, Photograph
from whaledo.errors import Problem


def gradient(width: int = 40, height: int = 30) -> PIL.Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return PIL.Image.fromarray(np.stack([x, y, np.full_like(x, 60)], axis=2).astype(np.uint8))


def run(
    folder: Path, box: Box | None = None, name: str = "a.img", longest_side: int = 0
) -> Converted | Problem:
    one = Photograph(7, "a", name, "ada", None, "", None, box)
    return convert(one, folder, folder / "out.jpg", longest_side=longest_side, quality=95, table="t.csv")


def done(folder: Path, box: Box | None = None, longest_side: int = 0) -> PIL.Image.Image:
    became = run(folder, box, longest_side=longest_side)
    assert isinstance(became, Converted), became
    with PIL.Image.open(folder / "out.jpg") as picture:
        picture.load()
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert picture.size == (became.width, became.height)
    assert other_segments((folder / "out.jpg").read_bytes()) == []
    return picture


def refused(folder: Path, box: Box | None = None, name: str = "a.img") -> Problem:
    became = run(folder, box, name)
    assert isinstance(became, Problem), became
    assert (became.file, became.line) == ("t.csv", 7)
    assert not (folder / "out.jpg").exists()
    return became


def near(pixel: object, wanted: tuple[int, int, int], by: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(int(got) - want) <= by for got, want in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM"])
def test_common_formats_are_read_whatever_the_file_is_called(tmp_path: Path, kind: str) -> None:
    gradient().save(tmp_path / "a.img", kind)
    picture = done(tmp_path)
    assert picture.size == (40, 30)
    assert near(picture.getpixel((39, 0)), (255, 0, 60), 40)


def test_cmyk_becomes_the_colours_that_were_meant(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (40, 30), (200, 60, 30)).convert("CMYK").save(tmp_path / "a.img", "JPEG", quality=95)
    assert near(done(tmp_path).getpixel((20, 15)), (200, 60, 30))


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype(np.uint16)
    PIL.Image.fromarray(grey).save(tmp_path / "a.img", "PNG")
    picture = done(tmp_path)
    assert near(picture.getpixel((20, 15)), (130, 130, 130))
    assert near(picture.getpixel((0, 0)), (0, 0, 0))


def test_a_palette_and_a_bitmap_are_read(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (40, 30), (200, 60, 30)).quantize(8).save(tmp_path / "a.img", "PNG")
    assert near(done(tmp_path).getpixel((20, 15)), (200, 60, 30))
    PIL.Image.new("1", (40, 30), 1).save(tmp_path / "a.img", "PNG")
    assert near(done(tmp_path).getpixel((20, 15)), (255, 255, 255))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_become_black_so_that_nothing_hidden_shows(tmp_path: Path, mode: str) -> None:
    picture = PIL.Image.new("RGBA", (40, 30), (200, 200, 200, 0))
    picture.paste((200, 200, 200, 255), (0, 0, 20, 30))
    if mode == "P":
        picture.quantize(8).save(tmp_path / "a.img", "PNG")
    else:
        picture.convert(mode).save(tmp_path / "a.img", "PNG")
    converted = done(tmp_path)
    assert near(converted.getpixel((8, 15)), (200, 200, 200))
    assert near(converted.getpixel((32, 15)), (0, 0, 0))


def test_an_animation_gives_its_first_picture_and_a_warning(tmp_path: Path) -> None:
    first, second = (PIL.Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "a.img", "GIF", save_all=True, append_images=[second])
    assert near(done(tmp_path).getpixel((20, 15)), (254, 0, 0))
    became = run(tmp_path)
    assert isinstance(became, Converted)
    assert became.warning is not None
    assert (became.warning.code, became.warning.line) == ("animated_image", 7)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_huge_photograph_is_scaled_down(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (10_000, 10_000), (10, 90, 160)).save(tmp_path / "a.img", "JPEG")
    assert done(tmp_path, longest_side=1200).size == (1200, 1200)
    assert near(done(tmp_path, (9_000, 9_000, 10_000, 9_500), 200).getpixel((5, 5)), (10, 90, 160))


def png_of_zeros(width: int, height: int) -> bytes:
    """A PNG that claims a size, without its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is an empty file"),
    "text": (lambda path: path.write_text("no picture"), "isn't an image of a kind that is read"),
    "a web page": (lambda path: path.write_text("<!doctype html>"), "is a web page"),
    "a Git LFS pointer": (
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1"),
        "Git LFS",
    ),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-60]), "can't be decoded"),
    "a bomb": (lambda path: path.write_bytes(png_of_zeros(60_000, 60_000)), "has more than 178 megapixels"),
    "gone": (lambda path: path.unlink(), "isn't there"),
    "a folder": (into_folder, "can't be read: Is a directory"),
    "another program's": (
        lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        "isn't an image of a kind",
    ),
    "a single pixel": (lambda path: gradient(1, 1).save(path, "PNG"), "is 1 x 1 pixels large"),
    "floating point": (
        lambda path: PIL.Image.fromarray(np.ones((30, 40), np.float32)).save(path, "TIFF"),
        "floating-point pixels",
    ),
}


@pytest.mark.parametrize(("make", "said"), BROKEN.values(), ids=BROKEN)
def test_what_cant_be_used_is_told_with_its_line(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    gradient().save(tmp_path / "a.img", "PNG")
    make(tmp_path / "a.img")
    problem = refused(tmp_path)
    assert said in problem.message
    assert problem.message.startswith("image 'a': 'a.img' ")


def test_the_orientation_is_applied_before_the_box_is_cut(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side: 40 x 30 is to be seen as 30 x 40
    gradient().save(tmp_path / "a.img", "JPEG", exif=exif, quality=95)
    upright = done(tmp_path)
    assert upright.size == (30, 40)
    assert near(upright.getpixel((29, 39)), (255, 0, 60), 30)
    assert done(tmp_path, (0, 30, 30, 40)).size == (30, 10)


@pytest.mark.parametrize("profile", [True, False], ids=["with a profile", "without"])
def test_nothing_that_came_with_the_file_goes_on(tmp_path: Path, profile: bool) -> None:
    exif = PIL.Image.Exif()
    exif[0x010E] = "whale007 at 61.2N 150.1W"
    exif.get_ifd(0x8825)[2] = (61.0, 12.0, 0.0)
    srgb = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    more = {"icc_profile": srgb} if profile else {}
    gradient().save(
        tmp_path / "a.img", "JPEG", exif=exif, comment=b"whale007", xmp=b"<x>whale007</x>", **more
    )
    assert len(other_segments((tmp_path / "a.img").read_bytes())) == 3 + profile
    done(tmp_path)
    assert b"whale007" not in (tmp_path / "out.jpg").read_bytes()


def test_a_broken_colour_profile_is_no_reason_to_refuse(tmp_path: Path) -> None:
    gradient().save(tmp_path / "a.img", "PNG", icc_profile=b"nonsense")
    done(tmp_path)


def test_a_box_is_cut_out_and_cut_off_at_the_edges(tmp_path: Path) -> None:
    gradient().save(tmp_path / "a.img", "PNG")
    assert near(done(tmp_path, (30, 10, 40, 20)).getpixel((9, 9)), (255, 165, 60), 20)
    assert done(tmp_path, (-0.2, -0.2, 40.3, 30.2)).size == (40, 30)
    became = run(tmp_path, (20, 0, 60, 30))
    assert isinstance(became, Converted)
    assert became.warning is not None
    assert "50% lies outside" in became.warning.message
    assert (became.width, became.height) == (20, 30)


@pytest.mark.parametrize(
    ("box", "code"),
    [((50, 0, 90, 30), "box_outside"), ((-30, -30, 0, 0), "box_outside"), ((0, 0, 5, 30), "tiny_image")],
)
def test_a_box_with_nothing_in_it_is_refused(tmp_path: Path, box: Box, code: str) -> None:
    gradient().save(tmp_path / "a.img", "PNG")
    problem = refused(tmp_path, box)
    assert problem.code == code
    assert "box" in problem.message


def test_fingerprints_tell_copies_from_other_photographs() -> None:
    chance = np.random.default_rng(1)
    scenes = [
        PIL.Image.fromarray(chance.integers(0, 255, (12, 9, 3), dtype=np.uint8)).resize((90, 120), 3)
        for _ in range(30)
    ]
    copies = [scene.resize((45, 60)) for scene in scenes]
    prints = [stacked([fingerprint(picture) for picture in side]) for side in (scenes, copies)]
    found = list(alike(*prints))
    assert [(ours, theirs) for ours, theirs, _ in found] == [(n, n) for n in range(30)]
    assert all(bits < ALIKE_BITS for _, _, bits in found)


def test_real_belugas_of_different_animals_are_not_alike(beluga: Path) -> None:
    names = sorted((beluga / "images").iterdir())[:120]
    prints = []
    for name in names:
        with PIL.Image.open(name) as picture:
            prints.append(fingerprint(picture.convert("RGB")))
    found = list(alike(stacked(prints), stacked(prints)))
    assert [(ours, theirs) for ours, theirs, _ in found] == [(n, n) for n in range(len(names))]
