"""The view of a data folder that a run sees: everything public, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Layout
from whaledo.challenge.public import PublicView, make_public_view
from whaledo.errors import BadData, MachineError


def view_of(data: Path) -> PublicView:
    return make_public_view(load_challenge(data), data.parent / "view")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_view_holds_the_text_files_and_empty_mount_points(data: Path) -> None:
    view = view_of(data)
    layout_b = load_challenge(data).layout is Layout.B
    ending = "csv" if layout_b else "txt"
    wanted = {"metadata.csv", "queries/one.csv", "queries/two.csv"}
    wanted |= {f"databases/one.{ending}", f"databases/two.{ending}"}
    assert files_in(view.folder) == wanted | ({"query_scenarios.csv"} if layout_b else set())
    assert list((view.folder / "images").iterdir()) == []
    assert view.image_folders == (("images", data / "images"),)


def test_the_view_is_a_challenge_that_says_the_same_without_identities(data: Path) -> None:
    whole, seen = load_challenge(data), load_challenge(view_of(data).folder)
    assert seen.scenarios == whole.scenarios
    assert seen.columns == ("image_id", "path", "height", "width", "viewpoint", "date")
    assert list(seen.images) == list(whole.images)
    assert seen.identity_column is None


def test_no_identity_stands_anywhere_in_the_view(data: Path) -> None:
    (data / "labels.csv").write_text("query_id,database_image_id\none-a1,a2\n")
    (data / "challenge.toml").write_text('name = "ada and bo"\n')
    (data / "queries" / "one.csv").write_text("query_id,query_image_id,whale_id\none-a1,a1,ada\n")
    (data / "queries" / "labels.txt").write_text("one-a1 is ada")
    view = view_of(data)
    for name in files_in(view.folder):
        words = (view.folder / name).read_text().replace("\n", ",").split(",")
        assert not {"ada", "bo", "e1", "2017-08-07 20:40:59"} & set(words), name
    assert view.hidden_columns == ("timestamp", "whale_id", "encounter_id")
    assert view.hidden_files == ("challenge.toml", "labels.csv", "queries/labels.txt")


def test_whole_folders_that_are_not_shown_are_said(data: Path) -> None:
    (data / "notes").mkdir()
    (data / "notes" / "answers.txt").touch()
    assert view_of(data).hidden_files == ("notes/",)


def test_columns_are_hidden_however_the_file_begins(data_b: Path) -> None:
    # Blank lines are skipped in reading; a header looked for in line 1 would find no column to hide.
    for name, column in (
        ("metadata.csv", "whale_id"),
        ("queries/one.csv", "query_id"),
        ("databases/one.csv", "database_image_id"),
        ("query_scenarios.csv", "scenario_id"),
    ):
        path = data_b / name
        text = path.read_text()
        if column != "whale_id":
            text = "".join(f"{line},ada\n" for line in text.splitlines()).replace("ada", "whale", 1)
        path.write_bytes(b"\xef\xbb\xbf\r\n\n" + text.encode())
    view = view_of(data_b)
    for name in files_in(view.folder):
        assert "ada" not in (view.folder / name).read_text()


def test_files_with_nothing_to_hide_are_copied_byte_for_byte(beluga: Path, tmp_path: Path) -> None:
    view = make_public_view(load_challenge(beluga), tmp_path / "view")
    for name in files_in(view.folder) - {"metadata.csv"}:
        assert (view.folder / name).read_bytes() == (beluga / name).read_bytes()
    assert len(files_in(view.folder)) == 6
    rows = (view.folder / "metadata.csv").read_text().splitlines()
    assert rows[:2] == [
        "image_id,path,height,width,viewpoint,date",
        "train0003,images/train0003.jpg,673,237,top,2017-08-07",
    ]
    assert len(rows) == 1062
    assert view.hidden_files == ("labels.csv",)


def test_public_columns_of_the_settings_hold_in_file_order(data: Path) -> None:
    (data / "challenge.toml").write_text('public_columns = ["date", "path", "image_id", "encounter_id"]\n')
    view = view_of(data)
    rows = (view.folder / "metadata.csv").read_text().splitlines()
    assert rows[1] == "a1,images/a1.jpg,2017-08-07,e1"
    assert view.hidden_columns == ("height", "width", "viewpoint", "timestamp", "whale_id")


def test_values_with_commas_quotes_and_line_ends_survive(data: Path) -> None:
    text = (data / "metadata.csv").read_text()
    (data / "metadata.csv").write_text(text.replace(",left,", ',"left, ""low""\nside",'))
    seen = load_challenge(view_of(data).folder)
    assert seen.images["b1"].fields["viewpoint"] == 'left, "low"\nside'


def test_a_linked_folder_of_images_is_followed(data: Path) -> None:
    (data / "images").rename(data.parent / "photographs")
    (data / "images").symlink_to("../photographs")
    assert view_of(data).image_folders == (("images", data.parent / "photographs"),)


def test_images_in_several_folders_are_several_mounts(data: Path) -> None:
    text = (data / "metadata.csv").read_text()
    (data / "metadata.csv").write_text(text.replace("images/b", "images_2018/top/b"))
    (data / "images_2018" / "top").mkdir(parents=True)
    for name in ("b1.jpg", "b2.jpg"):
        (data / "images" / name).rename(data / "images_2018" / "top" / name)
    view = view_of(data)
    assert [name for name, _ in view.image_folders] == ["images", "images_2018"]
    assert (view.folder / "images_2018").is_dir()


def test_the_view_can_be_read_by_another_user_whatever_the_mask(data: Path) -> None:
    before = os.umask(0o077)
    try:
        view = view_of(data)
    finally:
        os.umask(before)
    for path in (view.folder, *view.folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_a_destination_that_holds_something_is_left_alone(data: Path) -> None:
    (data.parent / "view").mkdir()
    (data.parent / "view" / "metadata.csv").write_text("mine")
    with pytest.raises(MachineError, match="isn't empty"):
        view_of(data)
    assert files_in(data.parent / "view") == {"metadata.csv"}


class TestImagesThatARunCouldNotOpen:
    """Refused before the run, rather than after an hour of it."""

    def codes(self, data: Path) -> list[str]:
        with pytest.raises(BadData) as refused:
            view_of(data)
        assert not (data.parent / "view").exists()
        return [f"{one.place.removeprefix(f'{data}/')} {one.code}" for one in refused.value.problems]

    def test_missing(self, data: Path) -> None:
        (data / "images" / "a1.jpg").unlink()
        (data / "images" / "NA.jpg").unlink()
        assert self.codes(data) == ["metadata.csv:2 missing_image", "metadata.csv:7 missing_image"]

    def test_no_folder_and_an_empty_folder_are_one_problem(self, data: Path) -> None:
        for image in (data / "images").iterdir():
            image.unlink()
        assert self.codes(data) == ["images missing_image_folder"]
        (data / "images").rmdir()
        assert self.codes(data) == ["images missing_image_folder"]

    @pytest.mark.parametrize(
        "link", ["../elsewhere/a1.jpg", "{elsewhere}/a1.jpg", "sub/../../elsewhere/a1.jpg"]
    )
    def test_a_link_out_of_the_folder(self, data: Path, link: str) -> None:
        (data / "elsewhere").mkdir()
        (data / "images" / "sub").mkdir()
        (data / "images" / "a1.jpg").rename(data / "elsewhere" / "a1.jpg")
        (data / "images" / "a1.jpg").symlink_to(link.format(elsewhere=data / "elsewhere"))
        assert (data / "images" / "a1.jpg").exists()  # on this machine
        assert self.codes(data) == ["metadata.csv:2 path_outside"]

    def test_an_absolute_link_dangles_even_if_it_leads_to_the_same_folder(self, data: Path) -> None:
        (data / "images" / "a1.jpg").unlink()
        (data / "images" / "a1.jpg").symlink_to(data / "images" / "a2.jpg")
        assert self.codes(data) == ["metadata.csv:2 path_outside"]

    def test_links_in_a_circle_and_into_nothing(self, data: Path) -> None:
        for name, target in (("a1.jpg", "a2.jpg"), ("a2.jpg", "a1.jpg"), ("b1.jpg", "gone.jpg")):
            (data / "images" / name).unlink()
            (data / "images" / name).symlink_to(target)
        assert self.codes(data) == [f"metadata.csv:{line} missing_image" for line in (2, 3, 4)]

    def test_links_inside_the_folder_are_fine(self, data: Path) -> None:
        images = data / "images"
        (images / "sub").mkdir()
        (images / "a1.jpg").rename(images / "sub" / "one.jpg")
        (images / "a1.jpg").symlink_to("link/../link/one.jpg")
        (images / "link").symlink_to("./sub")
        assert view_of(data).image_folders == (("images", images),)

    @pytest.mark.parametrize("target", [".", "..", "/"])
    def test_a_folder_of_images_that_shows_the_whole_data_folder(self, data: Path, target: str) -> None:
        (data / "images").rename(data.parent / "photographs")
        (data / "images").symlink_to(target)
        assert self.codes(data) == ["images path_outside"]

    def test_a_folder_that_links_to_itself(self, data: Path) -> None:
        (data / "images").rename(data.parent / "photographs")
        (data / "images").symlink_to("images")
        assert self.codes(data) == ["images missing_image_folder"]

    def test_one_that_no_scenario_uses_stops_nothing(self, data: Path) -> None:
        with (data / "metadata.csv").open("a") as file:
            file.write("c1,images/c1.jpg,12,8,top,2019-08-29,,,\n")
        assert view_of(data).hidden_files == ()
