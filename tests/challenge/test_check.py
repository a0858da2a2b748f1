"""Checking a data folder: every problem of text and images at once, and what the folder holds."""

from __future__ import annotations

import os
from pathlib import Path

import PIL.Image
import pytest

from whaledo.challenge.check import ScenarioCounts, check_challenge
from whaledo.errors import BadData


def found(folder: Path, *, decode: bool = True) -> list[str]:
    """Each problem as `place code`, the place relative to the data folder."""
    problems = check_challenge(folder, decode=decode).problems
    return sorted(f"{one.place.removeprefix(f'{folder}/')} {one.code}" for one in problems)


def messages(folder: Path) -> list[str]:
    return [f"{one.message} ({one.hint})" for one in check_challenge(folder).problems]


def test_a_sound_folder_is_counted(data: Path) -> None:
    result = check_challenge(data)
    assert result.ok
    assert not result.problems
    assert result.challenge is not None
    assert (result.images, result.images_present, result.queries) == (6, 6, 4)
    assert (result.identity_column, result.identities) == ("whale_id", 2)
    assert result.scenarios == (ScenarioCounts("one", 2, 4, 1), ScenarioCounts("two", 2, 3, 2))


def test_the_real_belugas_are_sound(beluga: Path) -> None:
    result = check_challenge(beluga)
    assert not result.problems
    assert (result.images, result.images_present, result.identities) == (1061, 1061, 183)
    assert [scenario.labelled_queries for scenario in result.scenarios] == [5, 5]


def test_text_and_images_are_told_of_together(data: Path) -> None:
    path = data / "queries" / "one.csv"
    path.write_text(path.read_text().replace(",a1", ",zz"))
    text = (data / "metadata.csv").read_text()
    (data / "metadata.csv").write_text(text.replace("images/b1", "/images/b1"))
    (data / "images" / "a2.jpg").unlink()
    (data / "images" / "b2.jpg").write_bytes(b"not a photograph")
    result = check_challenge(data)
    assert found(data) == [
        "images unnamed_image",
        "metadata.csv:3 missing_image",
        "metadata.csv:4 path_outside",
        "metadata.csv:5 undecodable_image",
        "queries/one.csv:2 unknown_image_id",
    ]
    assert not result.ok
    assert result.challenge is None
    assert result.images == 6


def test_progress_counts_every_image(data: Path) -> None:
    seen: list[tuple[int, int]] = []
    check_challenge(data, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(1, 7)]


def test_nothing_to_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="there is no data folder"):
        check_challenge(tmp_path / "nope")


def test_metadata_without_its_columns_leaves_nothing_to_count(data: Path) -> None:
    (data / "metadata.csv").write_text("file\nimages/a1.jpg\n")
    result = check_challenge(data)
    assert (result.images, result.scenarios, result.challenge) == (0, (), None)
    assert result.problems.errors == 2


class TestDecoding:
    """Images that are there and can't be used."""

    def test_each_kind_of_damage_is_told_in_its_own_words(self, data: Path) -> None:
        images = data / "images"
        PIL.Image.effect_noise((800, 1200), 80).save(images / "a1.jpg")
        (images / "a1.jpg").write_bytes((images / "a1.jpg").read_bytes()[:60_000])
        (images / "a2.jpg").write_bytes(b"")
        (images / "b1.jpg").write_bytes(b"<html>Please log in</html>")
        (images / "b2.jpg").write_bytes(b"hello")
        os.truncate(images / "001.jpg", 100)
        assert found(data) == [f"metadata.csv:{line} undecodable_image" for line in range(2, 7)]
        told = messages(data)
        assert "'images/a1.jpg' can't be decoded: image file is truncated" in told[0]
        assert "'images/a2.jpg' is an empty file" in told[1]
        assert "'images/b1.jpg' is a web page (download it again" in told[2]
        assert "'images/b2.jpg' isn't an image" in told[3]
        assert "'images/001.jpg' can't be decoded" in told[4]

    def test_it_can_be_left_out(self, data: Path) -> None:
        (data / "images" / "a1.jpg").write_bytes(b"")
        assert found(data, decode=False) == []

    @pytest.mark.parametrize("size", ["12.0,8", ",", " 12 ,8"])
    def test_sizes_that_are_right_or_not_told_are_fine(self, data: Path, size: str) -> None:
        text = (data / "metadata.csv").read_text()
        (data / "metadata.csv").write_text(text.replace(",12,8,", f",{size},"))
        assert found(data) == []

    def test_wrong_sizes_are_warnings(self, data: Path) -> None:
        lines = (data / "metadata.csv").read_text().splitlines()
        lines[1] = lines[1].replace(",12,8,", ",8,12,")
        lines[2] = lines[2].replace(",12,8,", ",12,9,")
        lines[3] = lines[3].replace(",12,8,", ",tall,8,")
        (data / "metadata.csv").write_text("\n".join(lines))
        assert found(data) == [f"metadata.csv:{line} wrong_size" for line in (2, 3, 4)]
        assert check_challenge(data).ok
        told = messages(data)
        assert "has height 12, not '8' and width 8, not '12' (the two are swapped" in told[0]
        assert "has width 8, not '9'" in told[1]
        assert "has height 12, not 'tall'" in told[2]


class TestWarnings:
    """What most likely isn't meant, and stops nothing."""

    def test_images_without_a_row_are_counted(self, data: Path) -> None:
        (data / "images" / "more").mkdir()
        for name in ("x.JPG", "more/y.png"):
            (data / "images" / name).touch()
        assert found(data) == ["images unnamed_image"]
        assert messages(data)[0].startswith(
            "2 image files without a row in metadata.csv: 'more/y.png', 'x.JPG'"
        )

    def test_a_file_that_submissions_can_read(self, data: Path) -> None:
        (data / "images" / "labels.csv").touch()
        (data / "images" / ".DS_Store").touch()
        (data / "images" / "._a1.jpg").touch()
        assert found(data) == ["images/labels.csv visible_file"]
        assert check_challenge(data).ok

    def test_images_that_are_missing_and_not_needed(self, data: Path) -> None:
        with (data / "metadata.csv").open("a") as file:
            file.writelines(f"c{n},images/c{n}.jpg,12,8,top,2019-08-29,,,\n" for n in range(5))
        assert found(data) == ["images missing_unused_image"]
        assert messages(data)[0].startswith("5 images that no scenario uses can't be seen: 'images/c0.jpg', ")

    def test_folders_that_give_the_animals_away(self, data: Path) -> None:
        (data / "images" / "ada").mkdir()
        for name in ("a1.jpg", "a2.jpg"):
            (data / "images" / name).rename(data / "images" / "ada" / name)
        text = (data / "metadata.csv").read_text()
        (data / "metadata.csv").write_text(text.replace("images/a", "images/ada/a"))
        assert found(data) == ["metadata.csv identity_in_path"]

    def test_a_missing_image_of_another_ending_is_found(self, data: Path) -> None:
        (data / "images" / "a1.jpg").rename(data / "images" / "a1.JPEG")
        assert "there is 'images/a1.JPEG'" in messages(data)[0]
