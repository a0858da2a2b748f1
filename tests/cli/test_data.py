"""`whaledo data check`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.data import check

METADATA = "image_id,path,whale_id\na,images/a.jpg,ada\nb,images/b.jpg,ada\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A challenge of one query, with image files that can't be decoded."""
    folder = tmp_path / "data"
    for name, text in {
        "metadata.csv": METADATA,
        "queries/only.csv": "query_id,query_image_id\nq1,a\n",
        "databases/only.txt": "a\nb\n",
        "images/a.jpg": "no picture",
        "images/b.jpg": "no picture",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_sound_folder_is_summed_up(data: Path) -> None:
    result = run(data, "--no-decode")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{data}: layout A, 2 images, 1 scenario, 1 query",
        "  scenario  queries  database  queries with a match",
        "  only            1         2                     1",
        "Identities: yes, 1 animal in column whale_id, which submissions don't see",
        f"✓ {data} can be used: no errors",
    ]


def test_errors_are_listed_with_their_places_and_set_the_exit_status(data: Path) -> None:
    result = run(data)
    assert result.exit_code == 1
    assert f"  ✗ {data}/metadata.csv:2: image 'a': 'images/a.jpg' isn't an image" in result.stdout
    assert result.stdout.splitlines()[-1] == f"✗ {data} can't be used: 2 errors, 0 warnings"


def test_warnings_leave_the_exit_status(data: Path) -> None:
    (data / "images" / "labels.csv").touch()
    result = run(data, "--no-decode")
    assert result.exit_code == 0
    assert f"  ! {data}/images/labels.csv: it isn't an image" in result.stdout
    assert result.stdout.splitlines()[-1] == f"✓ {data} can be used: no errors, 1 warning"


def test_without_identities_nothing_is_said_of_matches(data: Path) -> None:
    (data / "metadata.csv").write_text(METADATA.replace("whale_id", "colour"))
    result = run(data, "--no-decode")
    assert "  scenario  queries  database\n" in result.stdout
    assert "Identities: no, metadata.csv has no column for them" in result.stdout


def test_json_is_one_document_and_nothing_else_on_stdout(data: Path) -> None:
    (data / "databases" / "only.txt").write_text("a\nb\nb\n")
    result = run(data, "--no-decode", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert document["layout"] == "a"
    assert document["scenarios"] == [
        {"scenario_id": "only", "queries": 1, "database": 2, "labelled_queries": 1}
    ]
    (kind,) = document["problems"]
    assert (kind["code"], kind["total"], kind["shown"][0]["line"]) == ("repeated_database_id", 1, 3)
    assert "can't be used" in result.stderr


def test_no_folder_is_refused_with_a_way_on(tmp_path: Path) -> None:
    result = run(tmp_path / "nope")
    assert result.exit_code == 1
    assert "there is no data folder" in result.stderr
    assert "whaledo demo" in result.stderr
