"""`whaledo data build`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.data_build import build


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(build)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six animals, each photographed on two days that can be read in two ways."""
    rows = ["image_id,animal,path,date"]
    chance = np.random.default_rng(3)
    for animal in range(6):
        for day in ("03/04/2019", "05/06/2019"):
            name = f"{len(rows)}.png"
            PIL.Image.fromarray(chance.integers(0, 255, (24, 32, 3), dtype=np.uint8)).save(tmp_path / name)
            rows.append(f"{len(rows)},{animal:03d},{name},{day}")
    (tmp_path / "table.csv").write_text("\n".join([*rows, ""]))
    return tmp_path / "table.csv"


GIVEN = ("--column", "identity=animal", "--date-order", "dmy", "--seed", "1")


def test_a_challenge_is_summed_up_with_what_could_give_answers_away(table: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    result = run(table, output, *GIVEN, "--preset", "same-view", "--training-share", "0.34")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[:6] == [
        f"{output}/public: 8 photographs of 4 animals",
        "  scenario   queries  of new animals  database  animals that ask",
        "  same-view        4               0         4                 4",
        f"{output}/training: 4 photographs of 2 other animals, with their identities",
        f"{output}/private: the identities, the labels, the way back to the originals; keep it",
        "  ! the database of 'same-view' has 4 images: fewer than the 20 of an answer",
    ]
    assert "  ✓ none  animals in both parts" in lines
    assert lines[-1].startswith(f"✓ {output} is a challenge")


def test_json_is_one_document_and_nothing_else_on_stdout(table: Path, tmp_path: Path) -> None:
    result = run(table, tmp_path / "out", *GIVEN, "--json")
    document = json.loads(result.stdout)
    assert (document["ok"], document["seed"]) == (True, 1)
    assert [leak["found"] for leak in document["leaks"]] == [0] * 8
    assert "is a challenge" in result.stderr


def test_ambiguous_dates_are_listed_with_the_option_that_settles_them(table: Path, tmp_path: Path) -> None:
    result = run(table, tmp_path / "out", "--column", "identity=animal")
    assert result.exit_code == 1
    assert f"✗ the table {table} can't be used: 12 problems" in result.stderr
    assert f"{table}:2: the date '03/04/2019' can be 2019-04-03 or 2019-03-04" in result.stderr
    assert "--date-order dmy" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--column", "identity"), "--column identity names no column"),
        (("--column", "whale=x"), "no role 'whale'"),
        (("--preset", "sameview"), "did you mean same-view?"),
        (("--training-share", "2"), "leaves no animals"),
    ],
)
def test_senseless_options_are_usage_errors(
    table: Path, tmp_path: Path, option: tuple[str, str], said: str
) -> None:
    result = run(table, tmp_path / "out", *option)
    assert result.exit_code == 2
    assert said in result.stderr


def test_broken_images_set_the_exit_status_unless_they_are_skipped(table: Path, tmp_path: Path) -> None:
    (tmp_path / "3.png").write_text("no picture")
    result = run(table, tmp_path / "out", *GIVEN, "--training-share", "0")
    assert result.exit_code == 1
    assert "table.csv:4: image '3': '3.png' isn't an image" in result.stderr
    result = run(table, tmp_path / "out", *GIVEN, "--training-share", "0", "--skip-broken")
    assert result.exit_code == 0
    assert "Left out: 1 that can't be used" in result.stdout
