"""`whaledo report`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.report import report


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a challenge in `data`, one of its photographs missing, and a submission."""
    for name, text in {
        "data/metadata.csv": "image_id,path,whale_id\na,images/a.png,ada\nb,images/b.png,ada\nc,images/c.png,bo\n",
        "data/queries/only.csv": "query_id,query_image_id\nq,a\n",
        "data/databases/only.txt": "b\nc\n",
        "submission/submission.csv": "query_id,database_image_id,score\nq,c,0.9\nq,b,0.5\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "data/images").mkdir()
    for name in "ab":
        PIL.Image.new("RGB", (8, 8)).save(tmp_path / f"data/images/{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(report)
    return CliRunner().invoke(app, arguments)


def test_the_page_is_written_beside_the_run_and_missing_photographs_are_said() -> None:
    result = run()

    assert result.exit_code == 0
    assert result.stdout.startswith("submission/report.html  ")
    assert "1 of 3 photographs are missing or broken" in result.stderr
    assert Path("submission/report.html").read_text().startswith("<!doctype html>")


def test_one_json_document_is_all_that_a_program_reads() -> None:
    result = run("--json")

    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["path"] == "submission/report.html"
    assert document["mean_average_precision"] == 0.5
    assert document["missing_images"] == 1


def test_an_open_browser_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(typer, "launch", opened.append)
    run()
    assert opened == []
    run("--open")
    assert opened == ["submission/report.html"]


def test_a_folder_without_a_run_is_the_submissions_fault() -> None:
    result = run("--output", "data")

    assert result.exit_code == 1
    assert "nothing to report on" in result.stderr
    assert "whaledo run" in result.stderr
