"""A small part of a challenge: it is a challenge itself, nothing in it dangles, and it stays small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Challenge, Image, Layout, Query, Scenario, Settings
from whaledo.challenge.public import make_public_view
from whaledo.challenge.sample import DATABASE_IMAGES, choose_sample, write_sample
from whaledo.errors import MachineError


def sample_of(data: Path, queries: int) -> Path:
    folder = data.parent / "sample"
    write_sample(choose_sample(load_challenge(data), queries), folder)
    return folder


def large(images: int, queries: int, settings: Settings | None = None) -> Challenge:
    """A challenge of one scenario, asked from the last image on, that lies nowhere."""
    names = [f"i{number:04}" for number in range(images)]
    asked = tuple(Query(f"q{number}", name) for number, name in enumerate(reversed(names[-queries:])))
    scenario = Scenario("one", asked, tuple(names), "queries/one.csv", "databases/one.txt")
    known = {name: Image(name, f"images/{name}.jpg", {}) for name in names}
    return Challenge(Path("nowhere"), Layout.A, settings or Settings(), (), known, (scenario,))


def test_the_sample_is_a_whole_challenge_with_the_first_queries(data: Path) -> None:
    whole, small = load_challenge(data), load_challenge(sample_of(data, 1))
    assert [[query.query_id for query in each.queries] for each in small.scenarios] == [
        ["one-a1"],
        ["two-b1"],
    ]
    for ours, theirs in zip(small.scenarios, whole.scenarios, strict=True):
        assert ours == replace(theirs, queries=theirs.queries[:1])
    assert (small.layout, small.columns) == (whole.layout, whole.columns)
    assert {name: image.fields for name, image in small.images.items()} == {
        name: whole.images[name].fields for name in ("a1", "a2", "b1", "b2", "001", "NA")
    }


def test_only_images_that_are_needed_are_in_metadata_and_in_the_folder(data: Path) -> None:
    with (data / "metadata.csv").open("a") as file:
        file.write("c1,images/c1.jpg,12,8,top,2019-08-29,,,\n")
    (data / "images" / "c1.jpg").write_bytes(b"never looked at")
    small = sample_of(data, 1)
    listed = {Path(image.path).name for image in load_challenge(small).images.values()}
    assert listed == {path.name for path in (small / "images").iterdir()}
    assert "c1.jpg" not in listed
    assert (small / "images" / "a1.jpg").read_bytes() == (data / "images" / "a1.jpg").read_bytes()


def test_a_scenario_with_fewer_queries_keeps_them_all(data: Path) -> None:
    assert load_challenge(sample_of(data, 50)).scenarios == load_challenge(data).scenarios


def test_a_database_is_cut_but_keeps_the_queries_own_images() -> None:
    (scenario,) = choose_sample(large(1000, 10), 2).scenarios
    assert len(scenario.queries) == 2
    assert scenario.database == (*(f"i{number:04}" for number in range(DATABASE_IMAGES)), "i0998", "i0999")


def test_a_query_whose_image_isnt_in_the_database_doesnt_bring_it_in() -> None:
    whole = large(100, 2)
    (scenario,) = whole.scenarios
    sample = choose_sample(replace(whole, scenarios=(replace(scenario, database=scenario.database[:-2]),)), 1)
    assert "i0099" not in sample.scenarios[0].database
    assert "i0099" in sample.images
    assert len(sample.images) == DATABASE_IMAGES + 1


def test_every_query_can_still_have_all_its_rows() -> None:
    (scenario,) = choose_sample(large(1000, 1, Settings(rows_per_query=300)), 1).scenarios
    assert len([image_id for image_id in scenario.database if image_id != "i0999"]) > 300


def test_ids_and_values_with_commas_and_quotes_survive(data: Path) -> None:
    for path in (data / "metadata.csv", *(data / "queries").iterdir(), *(data / "databases").iterdir()):
        odd = "one,two" if path.suffix == ".txt" else '"one,two"'
        text = path.read_text().replace("b2,images", f"{odd},images").replace("b2\n", f"{odd}\n")
        path.write_text(text.replace(",left,", ',"left, ""low""\nside",'))
    small = load_challenge(sample_of(data, 9))
    assert small.scenarios == load_challenge(data).scenarios
    assert "one,two" in small.scenarios[0].database
    assert small.images["b1"].fields["viewpoint"] == 'left, "low"\nside'


def test_settings_come_along_and_labels_dont(data: Path) -> None:
    (data / "challenge.toml").write_text('name = "Small"\nrows_per_query = 7\n')
    (data / "labels.csv").write_text("query_id,database_image_id\none-a1,a2\n")
    small = sample_of(data, 1)
    assert load_challenge(small).settings == load_challenge(data).settings
    assert not (small / "labels.csv").exists()


def test_a_run_sees_the_sample_as_it_sees_the_whole(data: Path) -> None:
    small = load_challenge(sample_of(data, 1))
    view = make_public_view(small, data.parent / "view")
    assert view.image_folders == (("images", small.folder / "images"),)
    assert view.hidden_columns == ("timestamp", "whale_id", "encounter_id")


def test_linked_images_become_files_and_the_originals_stay_as_they_are(data: Path) -> None:
    (data / "images").rename(data.parent / "photographs")
    (data / "images").symlink_to("../photographs")
    original = data.parent / "photographs" / "a1.jpg"
    (original.parent / "a1-large.jpg").write_bytes(original.read_bytes())
    original.unlink()
    original.symlink_to("a1-large.jpg")
    (original.parent / "a1-large.jpg").chmod(0o600)
    copy = sample_of(data, 1) / "images" / "a1.jpg"
    assert not copy.is_symlink()
    assert copy.stat().st_mode & 0o777 == 0o644
    assert original.stat().st_mode & 0o777 == 0o600


def test_what_cant_be_written_is_said_with_a_way_out(data: Path) -> None:
    (data.parent / "sample").write_text("mine")
    with pytest.raises(MachineError, match="can't be copied") as caught:
        sample_of(data, 1)
    assert caught.value.hint
    assert (data.parent / "sample").read_text() == "mine"


def test_a_sample_of_the_real_challenge_is_small_and_right(beluga: Path, tmp_path: Path) -> None:
    sample = choose_sample(load_challenge(beluga), 3)
    write_sample(sample, tmp_path / "sample")
    whole, small = load_challenge(beluga), load_challenge(tmp_path / "sample")
    assert [len(scenario.queries) for scenario in small.scenarios] == [3, 3]
    for ours, theirs in zip(small.scenarios, whole.scenarios, strict=True):
        assert set(theirs.database[:DATABASE_IMAGES]) <= set(ours.database) <= set(theirs.database)
        assert len(ours.database) <= DATABASE_IMAGES + 3
    assert len(list((tmp_path / "sample" / "images").iterdir())) == len(small.images)
