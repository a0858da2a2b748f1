"""`whaledo check`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.check import check


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A submission in the working directory."""
    monkeypatch.chdir(tmp_path)
    made = Path("mymodel")
    made.mkdir()
    (made / "main.py").write_text("import numpy\n")
    return made


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_good_submission_is_said_to_be_good(source: Path) -> None:
    result = run(source)
    assert result.exit_code == 0
    assert result.stdout == "✓ mymodel with `core`: no errors (1 file, 13 B; read 1 module)\n"


def test_errors_are_named_with_their_lines_and_end_with_1(source: Path) -> None:
    (source / "main.py").write_text("import os\nimport timm\nROOT = '/home/me/x'\n")
    result = run(source, "--profile", "core")
    assert result.exit_code == 1
    assert "✗ main.py:2: `timm` is not in `core`; it is in `cpu` and `gpu`" in result.stdout
    assert "! main.py:3: '/home/me/x'" in result.stdout
    assert "1 error, 1 warning" in result.stdout
    assert run(source).exit_code == 0


def test_warnings_alone_end_with_0(source: Path) -> None:
    (source / "main.py").write_text("ROOT = '/home/me/x'\n")
    result = run(source)
    assert result.exit_code == 0
    assert "no errors, 1 warning" in result.stdout


def test_the_document_is_one_json_on_stdout(source: Path) -> None:
    (source / "main.py").write_text("import gone\n")
    result = run(source, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"][0]["shown"][0]["line"] == 1
    assert "`gone`" in result.stderr


def test_a_profile_that_is_not_there_is_a_usage_error(source: Path) -> None:
    result = run(source, "--profile", "tpu")
    assert result.exit_code == 2
    assert "core, cpu, gpu" in result.stderr


def test_no_zip_is_a_usage_error_that_says_how_to_make_one(source: Path) -> None:
    result = run()
    assert result.exit_code == 2
    assert "whaledo pack" in result.stderr
