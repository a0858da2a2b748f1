"""Thumbnails: one budget for all, and none of a photograph that can't be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from whaledo.report.thumbnails import (
    BUDGET_BYTES,
    EDGES,
    LONGEST,
    Size,
    fitted,
    make_thumbnail,
    make_thumbnails,
    size_for,
)


def open_thumbnail(webp: bytes) -> Image.Image:
    return Image.open(io.BytesIO(webp))


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.sampled_from(EDGES))
def test_a_thumbnail_keeps_to_its_area_and_is_never_larger_than_the_photograph(
    width: int, height: int, edge: int
) -> None:
    across, down = fitted(width, height, edge)
    assert 1 <= across <= width
    assert 1 <= down <= height
    assert max(across, down) <= LONGEST * edge
    assert (across - 1) * (down - 1) <= edge * edge


def test_the_more_photographs_the_smaller_each() -> None:
    sizes = [size_for(count) for count in (1, 300, 2000, 4900)]
    assert [size.edge for size in sizes] == sorted((size.edge for size in sizes), reverse=True)
    assert sizes[0].edge == EDGES[0]
    assert all(
        size.share_bytes * n <= BUDGET_BYTES for size, n in zip(sizes, (1, 300, 2000, 4900), strict=True)
    )
    assert size_for(0) == Size(EDGES[0], BUDGET_BYTES)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "1"])
def test_photographs_of_every_kind_become_colour(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "photograph.tif"
    Image.new(mode, (64, 32)).save(path)
    (thumbnail,) = make_thumbnails([path])
    assert thumbnail is not None
    picture = open_thumbnail(thumbnail.webp)
    assert (picture.mode, picture.size) == ("RGB", (thumbnail.width, thumbnail.height)) == ("RGB", (64, 32))


def test_a_photograph_taken_with_the_camera_turned_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (600, 300)).save(tmp_path / "turned.jpg", exif=exif)
    (thumbnail,) = make_thumbnails([tmp_path / "turned.jpg"])
    assert thumbnail is not None
    assert thumbnail.height == pytest.approx(2 * thumbnail.width, abs=2)


def test_noise_keeps_to_its_share_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    thumbnail = make_thumbnail(path, size_for(1500))
    assert thumbnail is not None
    assert len(thumbnail.webp) <= size_for(1500).share_bytes


def test_what_is_missing_or_broken_has_none_and_progress_is_told(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    (tmp_path / "folder.png").mkdir()
    told: list[tuple[int, int]] = []
    names = ("good.png", "broken.jpg", "folder.png", "missing.png")
    made = make_thumbnails([tmp_path / name for name in names], lambda *done: told.append(done))
    assert [thumbnail is None for thumbnail in made] == [False, True, True, True]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
