"""The whole way from a table to a challenge, and what is never left behind or given away."""

from __future__ import annotations

import csv
import json
import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest

from whaledo.challenge.build import build as build_module
from whaledo.challenge.build.build import build_challenge
from whaledo.challenge.build.records import BuildRequest, BuildResult, DateDetail
from whaledo.challenge.check import check_challenge
from whaledo.challenge.identities import identity_labels
from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Layout
from whaledo.errors import BadData, MachineError, UsageError
from whaledo.execution.records import RunRequest
from whaledo.resources import quickstart_folder
from whaledo.scoring.score import ScoreRequest, score
from whaledo.submission.pack import pack

if TYPE_CHECKING:
    from tests.challenge.build.conftest import Zebras
    from tests.conftest import Rooms


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def leaks(result: BuildResult) -> dict[str, int]:
    return {leak.code: leak.found for leak in result.leaks}


def test_a_second_species_becomes_a_challenge_that_the_check_accepts(built: tuple[Path, BuildResult]) -> None:
    output, result = built
    for part in ("public", "private"):
        checked = check_challenge(output / part)
        assert list(checked.problems) == []
        assert (checked.images, checked.queries) == (
            result.public_images,
            sum(scenario.queries for scenario in result.scenarios),
        )
        assert checked.identities == (None if part == "public" else result.public_animals)
    assert [scenario.scenario_id for scenario in result.scenarios] == [
        "same-season-left-2020",
        "cross-season-left-2021",
        "same-view-left",
        "same-view-right",
        "cross-view-left-right",
    ]
    assert (result.public_animals, result.training_animals, result.training_images) == (10, 10, 60)
    assert result.ok
    assert set(leaks(result).values()) == {0}


def test_the_second_species_goes_the_whole_way_to_a_score(drawn_zebras: Zebras, rooms: Rooms) -> None:
    place = Path(tempfile.mkdtemp(dir=rooms.folder))
    place.chmod(0o755)
    drawn_zebras.build(place / "challenge")
    packed = pack(quickstart_folder(), place / "submission.zip")
    request = RunRequest(
        str(packed.path), str(place / "challenge/public"), str(place / "out"), profile="core"
    )
    ran = rooms.run(request)
    assert ran.verdict.code == "ok", ran.verdict
    rankings = str(place / "out/submission.csv")
    by_labels = score(ScoreRequest(rankings, labels=str(place / "challenge/private/labels.csv")))
    by_identity = score(ScoreRequest(rankings, data=str(place / "challenge/private")))
    assert by_labels.mean_average_precision == by_identity.mean_average_precision > 0


def test_the_labels_are_those_that_follow_from_the_identities(built: tuple[Path, BuildResult]) -> None:
    output, result = built
    labels = {(row["query_id"], row["database_image_id"]) for row in rows_of(output / "private/labels.csv")}
    assert labels == set(identity_labels(load_challenge(output / "private")))
    assert len({query for query, _ in labels}) == sum(one.labelled_queries for one in result.scenarios)


def test_the_way_back_to_the_originals_is_private_and_right(
    built: tuple[Path, BuildResult], drawn_zebras: Zebras
) -> None:
    output, _ = built
    originals = {row["image_id"]: row for row in drawn_zebras.rows}
    sources = rows_of(output / "private/sources.csv")
    assert len(sources) == len({row["image_id"] for row in sources}) == 120
    for row in sources[::10]:
        original = originals[row["source_image_id"]]
        assert (row["source_path"], row["identity"]) == (original["path"], original["identity"])
        ours = output / row["part"] / "images" / f"{row['image_id']}.jpg"
        with PIL.Image.open(ours) as got, PIL.Image.open(drawn_zebras.folder / original["path"]) as whole:
            assert got.size == (96, 64)
            wanted = np.asarray(whole.crop((10, 5, 106, 69)), float)
            assert np.abs(np.asarray(got, float) - wanted).mean() < 12


def test_the_public_part_holds_no_name_no_time_and_no_order(built: tuple[Path, BuildResult]) -> None:
    output, _ = built
    text = b"".join(tree(output / "public").values())
    assert b"zebra" not in text
    assert b"photos" not in text
    assert rows_of(output / "public/metadata.csv")[0].keys() == {
        "image_id",
        "path",
        "height",
        "width",
        "viewpoint",
        "date",
    }
    files = [path for part in ("public", "training") for path in (output / part).rglob("*")]
    assert {path.stat().st_mtime for path in files} == {315532800}
    sources = [row for row in rows_of(output / "private/sources.csv") if row["part"] == "public"]
    lines = [int(row["source_line"]) for row in sources]
    assert abs(np.corrcoef(lines, range(len(lines)))[0, 1]) < 0.3


def test_the_private_part_is_for_its_owner_alone(built: tuple[Path, BuildResult]) -> None:
    output, result = built
    assert (output / "private").stat().st_mode & 0o777 == 0o700
    record = json.loads((output / "private/build.json").read_text())
    assert record["result"] == result.to_json()
    assert BuildRequest.from_json(record["request"]).seed == 5


def test_what_competitors_learn_from_has_identities_under_other_names(
    built: tuple[Path, BuildResult], drawn_zebras: Zebras
) -> None:
    output, _ = built
    rows = rows_of(output / "training/metadata.csv")
    assert all(re.fullmatch(r"animal\d{4}", row["identity"]) for row in rows)
    assert all((output / "training" / row["path"]).is_file() for row in rows)
    assert len({row["encounter_id"] for row in rows}) == 30
    names = {row["identity"]: set[str]() for row in rows}
    sources = {row["image_id"]: row for row in rows_of(output / "private/sources.csv")}
    for row in rows:
        names[row["identity"]].add(sources[row["image_id"]]["identity"])
    assert all(len(animals) == 1 for animals in names.values())


def test_the_same_seed_builds_the_same_bytes_and_another_one_others(
    built: tuple[Path, BuildResult], zebras: Zebras, tmp_path: Path
) -> None:
    zebras.build(tmp_path / "again", list(reversed(zebras.rows)))
    zebras.build(tmp_path / "other", seed=6)
    assert tree(tmp_path / "again/public") == tree(built[0] / "public")
    assert tree(tmp_path / "again/training") == tree(built[0] / "training")
    assert tree(tmp_path / "other/public") != tree(built[0] / "public")


def test_without_a_seed_a_secret_one_is_drawn(zebras: Zebras, tmp_path: Path) -> None:
    one, two = (zebras.build(tmp_path / name, seed=None, presets=("same-view",)) for name in ("one", "two"))
    assert one.seed != two.seed
    assert min(one.seed, two.seed) > 1 << 40


def test_layout_b_asks_the_same(built: tuple[Path, BuildResult], zebras: Zebras, tmp_path: Path) -> None:
    zebras.build(tmp_path / "b", layout=Layout.B, name='Whose "stripes"? 🦓')
    one, other = load_challenge(built[0] / "public"), load_challenge(tmp_path / "b/public")
    assert (one.layout, other.layout) == (Layout.A, Layout.B)
    assert {s.scenario_id: (s.queries, s.database) for s in one.scenarios} == {
        s.scenario_id: (s.queries, s.database) for s in other.scenarios
    }
    assert other.settings.name == 'Whose "stripes"? 🦓'
    assert list(check_challenge(tmp_path / "b/private").problems) == []


@pytest.mark.parametrize(("dates", "form"), [(DateDetail.YEAR, r"\d{4}"), (DateDetail.NONE, None)])
def test_dates_can_be_kept_back(zebras: Zebras, tmp_path: Path, dates: DateDetail, form: str | None) -> None:
    zebras.build(tmp_path / "c", dates=dates)
    rows = rows_of(tmp_path / "c/public/metadata.csv")
    assert all(re.fullmatch(form, row["date"]) if form else "date" not in row for row in rows)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rows_of(tmp_path / "c/training/metadata.csv")[0]["date"])


def test_real_belugas_build_the_benchmarks_scenarios(beluga: Path, tmp_path: Path) -> None:
    rows = rows_of(beluga / "metadata.csv")
    animals = sorted({row["whale_id"] for row in rows if row["viewpoint"] == "left"})[:8]
    chosen = [row for row in rows if row["whale_id"] in {*animals, "whale307", "whale189", "whale118"}][:120]
    with (tmp_path / "few.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(chosen)
    (tmp_path / "s.toml").write_text(
        '[[scenario]]\nname = "top-same-season"\nquery = { viewpoint = "top", season = 2019 }\n'
        'database = { viewpoint = "top", season = 2019 }\n'
        '[[scenario]]\nname = "top-other-year"\nquery = { viewpoint = "top", year = 2019 }\n'
        'database = { viewpoint = "top", year = [2017, 2018] }\n'
        '[[scenario]]\nname = "left-left"\nother_encounter = false\nquery = { viewpoint = "left" }\n'
        'database = { viewpoint = "left" }\n'
    )
    result = build_challenge(
        BuildRequest(
            str(tmp_path / "few.csv"),
            str(tmp_path / "c"),
            images=str(beluga),
            scenarios=str(tmp_path / "s.toml"),
            training_share=0,
            seed=1,
        )
    )
    assert all(scenario.labelled_queries for scenario in result.scenarios)
    assert [scenario.scenario_id for scenario in result.scenarios] == [
        "top-same-season",
        "top-other-year",
        "left-left",
    ]
    found = leaks(result)
    assert found.pop("same_encounter") > 0  # left-left allows it, and the two others have none
    assert set(found.values()) == {0}
    assert not (tmp_path / "c/training").exists()
    assert check_challenge(tmp_path / "c/public").ok


def test_broken_images_are_all_told_with_their_lines_and_nothing_is_left(
    zebras: Zebras, tmp_path: Path
) -> None:
    for row in zebras.rows[3:6]:
        (zebras.folder / row["path"]).write_bytes(b"")
    zebras.rows[8]["bbox"] = "[500, 500, 10, 10]"
    with pytest.raises(BadData, match="4 photographs can't be used") as raised:
        zebras.build(tmp_path / "c", longest_side=0)
    lines = [(problem.code, problem.line) for problem in raised.value.problems]
    assert sorted(lines) == [
        ("box_outside", 10),
        ("undecodable_image", 5),
        ("undecodable_image", 6),
        ("undecodable_image", 7),
    ]
    assert "--skip-broken" in raised.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["zebras"]


def test_broken_images_can_be_skipped_and_are_counted(zebras: Zebras, tmp_path: Path) -> None:
    for row in zebras.rows[3:6]:
        (zebras.folder / row["path"]).unlink()
    result = zebras.build(tmp_path / "c", skip_broken=True)
    assert result.left_out["that can't be used"] == 3
    assert (result.problems.errors, result.problems.warnings >= 3) == (0, True)
    assert check_challenge(tmp_path / "c/public").ok
    sources = {row["source_image_id"] for row in rows_of(tmp_path / "c/private/sources.csv")}
    assert sources.isdisjoint(row["image_id"] for row in zebras.rows[3:6])
    assert [path.name for path in (tmp_path / "c").iterdir() if path.name not in {"public", "private"}] == [
        "training"
    ]


def test_if_too_little_is_left_the_broken_images_are_told(zebras: Zebras, tmp_path: Path) -> None:
    shutil.rmtree(zebras.folder / "photos")
    with pytest.raises(BadData) as raised:
        zebras.build(tmp_path / "c", skip_broken=True)
    assert raised.value.problems.warnings == 120
    assert "is --images the folder" in next(iter(raised.value.problems)).hint


def test_identical_images_are_found(zebras: Zebras, tmp_path: Path) -> None:
    """One file under two names: an animal in both parts, a query that any method finds, a wrong identity."""
    for row in zebras.rows[1:]:
        shutil.copy(zebras.folder / zebras.rows[0]["path"], zebras.folder / row["path"])
    found = leaks(zebras.build(tmp_path / "c"))
    assert all(found[code] > 0 for code in ("alike_same_animal", "alike_other_animal", "alike_across_parts"))
    assert found["animals_in_both_parts"] == found["image_metadata"] == 0


def test_a_scenario_named_for_an_animal_is_found(zebras: Zebras, tmp_path: Path) -> None:
    scenarios = tmp_path / "s.toml"
    scenarios.write_text('[[scenario]]\nname = "all-Ada"\n')
    for row in zebras.rows:
        row["identity"] = row["identity"].replace("007", "Ada").replace("00", "zebra")
    result = zebras.build(tmp_path / "c", scenarios=str(scenarios))
    (check,) = (leak for leak in result.leaks if leak.code == "identity_text")
    assert check.found > 0
    assert any("'Ada'" in example for example in check.examples)
    assert result.ok  # it may be a common word: a person has to judge


def test_progress_ends_with_all_images(zebras: Zebras, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    threads: set[int] = set()

    def note(done: int, total: int) -> None:
        told.append((done, total))
        threads.add(threading.get_ident())

    result = build_challenge(zebras.request(tmp_path / "c"), note)
    total = result.public_images + result.training_images
    assert told == [(n, total) for n in range(1, total + 1)]
    assert threads == {threading.get_ident()}


def test_a_folder_that_holds_anything_is_never_touched(zebras: Zebras, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c/.hidden").write_text("mine")
    with pytest.raises(UsageError, match=r"isn't empty: \.hidden"):
        zebras.build(tmp_path / "c")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        zebras.build(tmp_path / "file")
    assert tree(tmp_path / "c") == {".hidden": b"mine"}


def test_an_empty_folder_is_filled(zebras: Zebras, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    zebras.build(tmp_path / "c")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["private", "public", "training"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "zebras"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_midway_leaves_nothing(
    zebras: Zebras, tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(build_module, "write_challenge", fails)
    with pytest.raises(MachineError if isinstance(error, OSError) else KeyboardInterrupt):
        zebras.build(tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["zebras"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training_share": 1.0}, "leaves no animals to ask about"),
        ({"training_share": -0.1}, "leaves no animals"),
        ({"seed": -1}, "the seed is -1"),
        ({"quality": 0}, "quality of 0"),
        ({"name": "two\nlines"}, "can't be the challenge's name"),
        ({"longest_side": 5}, "longest side of 5"),
        ({"presets": ("same-flank",)}, "no preset 'same-flank'"),
    ],
)
def test_senseless_requests_are_usage_errors(
    zebras: Zebras, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        zebras.build(tmp_path / "c", **changes)
    assert not (tmp_path / "c").exists()


def test_a_request_travels_as_json() -> None:
    request = BuildRequest("t.csv", "out", presets=("same-view",), columns={"date": "when"}, layout=Layout.B)
    assert BuildRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_nothing_is_written_beside_what_was_asked_for(zebras: Zebras, tmp_path: Path) -> None:
    before = tree(zebras.folder)
    zebras.build(tmp_path / "deep/er/c")
    assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["c"]
    assert {**tree(zebras.folder), "zebras.csv": b""} == {**before, "zebras.csv": b""}
