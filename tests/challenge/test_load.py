"""Loading a data folder: a sound one is read whole, a spoilt one is refused with every place at once."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from whaledo.challenge.load import load_challenge, read_challenge
from whaledo.challenge.model import Layout, Query, Scenario
from whaledo.errors import BadData, Fault


def found(folder: Path) -> list[str]:
    """Each problem as `place code`, the place relative to the data folder."""
    _, problems = read_challenge(folder)
    return sorted(f"{one.place.removeprefix(f'{folder}/')} {one.code}" for one in problems)


def hints(folder: Path) -> list[str]:
    _, problems = read_challenge(folder)
    return [one.hint for one in problems]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def database(folder: Path, name: str) -> tuple[Path, int]:
    """A scenario's database file, and how many lines stand above the ids in it."""
    path = folder / "databases" / f"{name}.csv"
    return (path, 1) if path.exists() else (path.with_suffix(".txt"), 0)


def test_both_layouts_say_the_same(data: Path) -> None:
    challenge = load_challenge(data)
    assert challenge.folder == data
    assert list(challenge.images) == ["a1", "a2", "b1", "b2", "001", "NA"]
    assert challenge.images["NA"].path == "images/NA.jpg"
    assert challenge.images["NA"].line == 7
    assert challenge.images["b1"].fields["viewpoint"] == "left"
    assert challenge.columns[:2] == ("image_id", "path")
    assert challenge.identity_column == "whale_id"
    ending = "txt" if challenge.layout is Layout.A else "csv"
    assert challenge.scenarios == (
        Scenario(
            "one",
            (Query("one-a1", "a1"), Query("one-001", "001")),
            ("a1", "a2", "b2", "NA"),
            "queries/one.csv",
            f"databases/one.{ending}",
        ),
        Scenario(
            "two",
            (Query("two-b1", "b1"), Query("two-a2", "a2")),
            ("b2", "a1", "001"),
            "queries/two.csv",
            f"databases/two.{ending}",
        ),
    )


def test_the_real_belugas_load(beluga: Path) -> None:
    challenge = load_challenge(beluga)
    assert challenge.layout is Layout.B
    assert len(challenge.images) == 1061
    sizes = [(one.scenario_id, len(one.queries), len(one.database)) for one in challenge.scenarios]
    assert sizes == [("scenario01", 5, 55), ("scenario02", 5, 40)]


def test_scenarios_of_layout_b_keep_the_order_of_the_file(data_b: Path) -> None:
    rows = (data_b / "query_scenarios.csv").read_text().splitlines()
    (data_b / "query_scenarios.csv").write_text("\n".join([rows[0], rows[2], rows[1]]))
    assert [scenario.scenario_id for scenario in load_challenge(data_b).scenarios] == ["two", "one"]


def test_files_that_systems_leave_are_no_scenarios(data_a: Path) -> None:
    (data_a / "queries" / "._one.csv").write_bytes(b"\0\5\26\7")
    (data_a / "databases" / ".DS_Store").write_bytes(b"\0")
    assert found(data_a) == []


def test_loading_needs_no_images(data: Path) -> None:
    for image in (data / "images").iterdir():
        image.unlink()
    (data / "images").rmdir()
    assert len(load_challenge(data).images) == 6


def test_loading_imports_nothing_heavy() -> None:
    code = "import sys, whaledo.challenge.load; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "pandas", "PIL", "pyarrow", "rich", "typer", "tomllib"} & set(modules.split())


class TestNothingToRead:
    """Folders in which there is nothing to collect problems from."""

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(BadData, match="there is no data folder") as refused:
            load_challenge(tmp_path / "nope")
        assert "whaledo demo" in refused.value.hint
        assert "whaledo data demo DIR" in refused.value.hint
        assert refused.value.fault is Fault.DATA

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        (tmp_path / ".gitkeep").touch()
        with pytest.raises(BadData, match="is empty") as refused:
            load_challenge(tmp_path)
        assert "metadata.csv" in refused.value.hint

    def test_a_file_instead_of_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "data.zip").touch()
        with pytest.raises(BadData, match=r"data\.zip is a file, not a data folder"):
            load_challenge(tmp_path / "data.zip")

    def test_the_data_one_folder_down(self, data: Path) -> None:
        (data.parent / "README").touch()
        with pytest.raises(BadData, match=f"the data lies one folder down, in {data}"):
            load_challenge(data.parent)

    def test_a_folder_that_cannot_be_opened(self, data_a: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Played, because root may open everything.
        def refuse(path: Path) -> Iterator[Path]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(BadData, match=f"{data_a} can't be opened: Permission denied"):
            load_challenge(data_a)

    def test_something_else_altogether(self, tmp_path: Path) -> None:
        (tmp_path / "holiday.jpg").touch()
        with pytest.raises(BadData, match=r"isn't a data folder: it holds 'holiday\.jpg'"):
            load_challenge(tmp_path)


def test_a_refusal_carries_every_problem_of_every_file_at_once(data_a: Path) -> None:
    edit(data_a / "metadata.csv", "a2,images/a2.jpg", "a2,/images/a2.jpg")
    edit(data_a / "metadata.csv", "b2,", "b2 ,")
    edit(data_a / "queries" / "one.csv", "one-001,001", "one-001,1")
    (data_a / "databases" / "two.txt").unlink()
    (data_a / "challenge.toml").write_text("rows = 20\n")
    with pytest.raises(BadData, match="can't be used: 5 problems") as refused:
        load_challenge(data_a)
    assert sorted(one.place for one in refused.value.problems) == [
        f"{data_a}/challenge.toml:1",
        f"{data_a}/metadata.csv:3",
        f"{data_a}/metadata.csv:5",
        f"{data_a}/queries/one.csv:3",
        f"{data_a}/queries/two.csv",
    ]


class TestMetadata:
    """What can be wrong with metadata.csv."""

    def test_missing(self, data: Path) -> None:
        (data / "metadata.csv").rename(data / "Metadata.csv")
        assert found(data) == ["metadata.csv missing_file"]
        assert "'Metadata.csv'" in hints(data)[0]

    def test_without_its_columns(self, data: Path) -> None:
        edit(data / "metadata.csv", "image_id,path", "image,file")
        # Ids can't be looked up then: nothing is said of them.
        assert found(data) == ["metadata.csv:1 missing_column", "metadata.csv:1 missing_column"]

    def test_a_repeated_image(self, data: Path) -> None:
        edit(data / "metadata.csv", "NA,images/NA.jpg", "a1,images/NA.jpg")
        path, above = database(data, "one")
        assert found(data) == sorted(
            [
                "metadata.csv:7 repeated_image_id",
                f"databases/{path.name}:{above + 4} unknown_image_id",
            ]
        )

    def test_a_short_row_is_told_once_and_its_id_stays_known(self, data: Path) -> None:
        edit(data / "metadata.csv", ",top,2017-08-07,2017-08-07 20:40:59,ada,e1", "")
        assert found(data) == ["metadata.csv:2 ragged_row"]

    def test_an_identity_with_a_blank_behind_it(self, data: Path) -> None:
        edit(data / "metadata.csv", ",bo,e3", ",bo ,e3")
        assert found(data) == ["metadata.csv:5 blanks_around"]

    def test_two_ids_of_one_file(self, data: Path) -> None:
        edit(data / "metadata.csv", "NA,images/NA.jpg", "NA,images/a1.jpg")
        assert found(data) == ["metadata.csv:7 shared_image"]
        load_challenge(data)  # only a warning

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/data/images/a1.jpg", "path_outside"),
            ("C:/images/a1.jpg", "path_outside"),
            ("../images/a1.jpg", "path_outside"),
            ("images/../../a1.jpg", "path_outside"),
            ("images\\a1.jpg", "backslash_path"),
            ("a1.jpg", "image_without_folder"),
            ("./a1.jpg", "image_without_folder"),
            ("queries/a1.jpg", "image_without_folder"),
            ("./databases/x/a1.jpg", "image_without_folder"),
            ("", "empty_value"),
            (f"images/{'x' * 256}.jpg", "long_path"),
            ("images/" + "x/" * 1000 + "a1.jpg", "long_path"),
        ],
    )
    def test_a_path_that_a_run_could_not_follow(self, data: Path, path: str, code: str) -> None:
        edit(data / "metadata.csv", "images/a1.jpg", path)
        assert found(data) == [f"metadata.csv:2 {code}"]

    def test_paths_with_dots_and_doubled_slashes_are_fine(self, data: Path) -> None:
        edit(data / "metadata.csv", "images/a1.jpg", "./images//./a1.jpg")
        assert found(data) == []


class TestScenarioFiles:
    """What can be wrong with queries and databases."""

    def test_an_unknown_image_in_a_query_and_in_a_database(self, data: Path) -> None:
        edit(data / "queries" / "one.csv", "one-a1,a1", "one-a1,zz")
        path, above = database(data, "two")
        edit(path, "b2\n", "b3\n")
        assert found(data) == [
            f"databases/{path.name}:{above + 1} unknown_image_id",
            "queries/one.csv:2 unknown_image_id",
        ]

    @pytest.mark.parametrize(
        ("written", "meant"),
        [("1", "001"), ("na", "NA"), ("a1.jpg", "a1"), ("images/a1.jpg", "a1"), ("A1", "a1"), ("zz", None)],
    )
    def test_an_id_that_a_program_changed_is_told_with_what_was_meant(
        self, data: Path, written: str, meant: str | None
    ) -> None:
        edit(data / "queries" / "one.csv", "one-a1,a1", f"one-a1,{written}")
        unknown = "add it there, or remove this line"
        wanted = unknown if meant is None else f"write '{meant}': ids are compared letter by letter"
        assert hints(data) == [wanted]

    def test_a_query_id_is_unique_over_all_scenarios(self, data: Path) -> None:
        edit(data / "queries" / "one.csv", "one-001", "one-a1")
        edit(data / "queries" / "two.csv", "two-a2", "one-a1")
        assert found(data) == ["queries/one.csv:3 repeated_query_id", "queries/two.csv:3 repeated_query_id"]
        _, problems = read_challenge(data)
        first = data / "queries" / "one.csv"
        assert {one.message for one in problems} == {f"query id 'one-a1' stands at {first}:2 already"}

    def test_a_repeated_database_image(self, data: Path) -> None:
        path, above = database(data, "one")
        edit(path, "NA\n", "a1\n")
        assert found(data) == [f"databases/{path.name}:{above + 4} repeated_database_id"]

    def test_one_image_asked_twice_and_an_image_in_two_databases_are_fine(self, data: Path) -> None:
        edit(data / "queries" / "one.csv", "one-001,001", "one-a1-again,a1")
        assert found(data) == []

    def test_empty_scenarios(self, data: Path) -> None:
        (data / "queries" / "one.csv").write_text("query_id,query_image_id\n")
        path, above = database(data, "two")
        path.write_text("database_image_id\n" * above)
        assert found(data) == [f"databases/{path.name} empty_scenario", "queries/one.csv empty_scenario"]

    def test_a_column_too_many_is_a_warning(self, data: Path) -> None:
        (data / "queries" / "one.csv").write_text(",query_id,query_image_id\n0,one-a1,a1\n")
        assert found(data) == ["queries/one.csv extra_column"]
        assert "index=False" in hints(data)[0]
        load_challenge(data)


class TestLayoutA:
    """Files that belong together by name."""

    def test_queries_without_a_database(self, data_a: Path) -> None:
        (data_a / "databases" / "one.txt").unlink()
        assert found(data_a) == ["queries/one.csv missing_database"]

    def test_a_database_of_nearly_the_same_name(self, data_a: Path) -> None:
        (data_a / "databases" / "one.txt").rename(data_a / "databases" / "One.txt")
        assert found(data_a) == [
            "databases/One.txt database_without_queries",
            "queries/one.csv missing_database",
        ]
        assert hints(data_a)[0] == "rename databases/One.txt to databases/one.txt"

    def test_a_database_as_layout_b_has_it(self, data_a: Path) -> None:
        (data_a / "databases" / "one.txt").rename(data_a / "databases" / "one.csv")
        assert found(data_a) == ["databases/one.csv unused_file", "queries/one.csv missing_database"]
        assert "or add query_scenarios.csv" in hints(data_a)[0]

    def test_a_database_without_queries_is_a_warning(self, data_a: Path) -> None:
        (data_a / "databases" / "three.txt").write_text("a1\n")
        assert found(data_a) == ["databases/three.txt database_without_queries"]
        load_challenge(data_a)

    def test_a_header_in_a_database(self, data_a: Path) -> None:
        path = data_a / "databases" / "one.txt"
        path.write_text("image_id\n" + path.read_text())
        assert found(data_a) == ["databases/one.txt:1 unknown_image_id"]
        assert hints(data_a)[0].startswith("remove the line")

    def test_no_scenario_at_all(self, data_a: Path) -> None:
        for path in (data_a / "queries").iterdir():
            path.unlink()
        _, problems = read_challenge(data_a)
        assert next(one.code for one in problems) == "no_scenarios"

    def test_a_name_that_is_no_file_name_everywhere(self, data_a: Path) -> None:
        for name in ("queries/one.csv", "databases/one.txt"):
            (data_a / name).rename(data_a / name.replace("one", "day 1: am"))
        assert found(data_a) == ["queries/day 1: am.csv unfit_scenario_id"]


class TestLayoutB:
    """Files that query_scenarios.csv names."""

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("queries/two.csv", "queries/tow.csv", "missing_file"),
            ("queries/two.csv", "/etc/passwd", "path_outside"),
            ("databases/two.csv", "../two.csv", "path_outside"),
            ("databases/two.csv", "databases\\two.csv", "backslash_path"),
            ("databases/two.csv", "", "empty_value"),
            ("databases/two.csv", "x" * 300, "long_path"),
        ],
    )
    def test_a_path_that_leads_nowhere_or_out(self, data_b: Path, old: str, new: str, code: str) -> None:
        edit(data_b / "query_scenarios.csv", old, new)
        assert found(data_b) == sorted([f"query_scenarios.csv:3 {code}", f"{old} unused_file"])

    @pytest.mark.parametrize("path", [".", "queries", "images"])
    def test_a_folder_instead_of_a_file(self, data_b: Path, path: str) -> None:
        edit(data_b / "query_scenarios.csv", "queries/two.csv", path)
        _, problems = read_challenge(data_b)
        assert "unreadable_file" in {one.code for one in problems}

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("one", "repeated_scenario"),
            ("ONE", "repeated_scenario"),
            ("../two", "unfit_scenario_id"),
            (".two", "unfit_scenario_id"),
            ("two?", "unfit_scenario_id"),
            ("t" * 201, "unfit_scenario_id"),
            ("", "empty_value"),
        ],
    )
    def test_a_name_that_cannot_be_used(self, data_b: Path, name: str, code: str) -> None:
        edit(data_b / "query_scenarios.csv", "two,", f"{name},")
        assert found(data_b) == [f"query_scenarios.csv:3 {code}"]

    def test_missing_columns_of_every_file(self, data_b: Path) -> None:
        edit(data_b / "databases" / "one.csv", "database_image_id\n", "")
        edit(data_b / "queries" / "two.csv", "query_image_id", "image_id")
        assert found(data_b) == ["databases/one.csv:1 missing_column", "queries/two.csv:1 missing_column"]
        edit(data_b / "query_scenarios.csv", "queries_path", "queries")
        assert found(data_b) == ["query_scenarios.csv:1 missing_column"]

    def test_a_list_of_no_scenarios(self, data_b: Path) -> None:
        (data_b / "query_scenarios.csv").write_text("scenario_id,queries_path,database_path\n")
        assert found(data_b) == ["query_scenarios.csv no_scenarios"]

    def test_two_scenarios_may_share_a_database(self, data_b: Path) -> None:
        edit(data_b / "query_scenarios.csv", "databases/two.csv", "databases/one.csv")
        assert found(data_b) == ["databases/two.csv unused_file"]
        one, two = load_challenge(data_b).scenarios
        assert one.database == two.database
        edit(data_b / "databases" / "one.csv", "a2\n", "zz\n")
        assert found(data_b) == ["databases/one.csv:3 unknown_image_id", "databases/two.csv unused_file"]

    def test_two_scenarios_may_not_share_queries(self, data_b: Path) -> None:
        edit(data_b / "query_scenarios.csv", "queries/two.csv", "queries/one.csv")
        assert found(data_b) == [
            "queries/one.csv:2 repeated_query_id",
            "queries/one.csv:3 repeated_query_id",
            "queries/two.csv unused_file",
        ]


class TestSettings:
    """challenge.toml."""

    def test_what_it_says_holds(self, data: Path) -> None:
        (data / "challenge.toml").write_text(
            'name = "Find Ada"\nrows_per_query = 5\nidentity_column = "encounter_id"\n'
            'public_columns = ["path", "image_id", "date"]\n'
        )
        settings = load_challenge(data).settings
        assert (settings.name, settings.rows_per_query) == ("Find Ada", 5)
        assert settings.public_columns == ("path", "image_id", "date")
        assert load_challenge(data).identity_column == "encounter_id"

    @pytest.mark.parametrize(
        "line",
        [
            'rows_per_query = "20"',
            "rows_per_query = 0",
            "rows_per_query = true",
            "rows_per_query = 2.5",
            "name = 3",
            'name = " "',
            'identity_column = ["whale_id"]',
            'public_columns = "image_id"',
            'public_columns = ["image_id"]',
            'public_columns = ["image_id", "path", "path"]',
            'public_columns = ["image_id", "path", "whale_id"]',
            "rows_per_query = ",
            "rows_per_query",
        ],
    )
    def test_a_value_that_cannot_be_used_is_told_with_its_line(self, data: Path, line: str) -> None:
        (data / "challenge.toml").write_text(f"# settings\n{line}\n# end\n")
        assert found(data) == ["challenge.toml:2 bad_setting"]

    def test_an_unknown_key_is_never_ignored(self, data: Path) -> None:
        (data / "challenge.toml").write_text('public_colums = ["image_id"]\n[scoring]\nk = 5\n')
        assert found(data) == ["challenge.toml:1 unknown_setting", "challenge.toml:2 unknown_setting"]
        assert hints(data)[0] == "rename it to public_columns"

    def test_columns_that_are_not_there_are_warned_about(self, data: Path) -> None:
        (data / "challenge.toml").write_text(
            'identity_column = "name"\npublic_columns = ["image_id", "path", "colour"]\n'
        )
        assert found(data) == ["challenge.toml setting_without_column"] * 2
        assert load_challenge(data).identity_column is None
