"""`whaledo pack`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.archive import sha256_of
from whaledo.cli.pack import pack


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A submission in the working directory."""
    monkeypatch.chdir(tmp_path)
    made = Path("mymodel")
    (made / "__pycache__").mkdir(parents=True)
    (made / "main.py").write_text("print()\n")
    for number in range(12):
        (made / f"part{number}.bin").write_bytes(bytes(number * 1000))
    return made


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(pack)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_zip_goes_where_a_run_looks_for_it(source: Path) -> None:
    result = run(source)
    assert result.exit_code == 0
    assert f"sha256 {sha256_of(Path('submission/submission.zip'))}" in result.stdout


def test_what_went_in_is_summed_up_by_its_largest_files(source: Path) -> None:
    text = run(source).stdout
    assert "13 files, 64.5 KiB, in" in text
    assert text.index("part11.bin") < text.index("part4.bin")
    assert "part3.bin" not in text
    assert "in 5 smaller files" in text
    assert "__pycache__/  (cache)" in text


def test_nothing_is_overwritten_without_force(source: Path) -> None:
    run(source)
    again = run(source)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run(source, "--force").exit_code == 0


def test_secrets_are_refused_with_the_option_that_lets_them_in(source: Path) -> None:
    (source / ".env").write_text("KEY=1")
    refused = run(source)
    assert refused.exit_code == 1
    assert "--allow .env" in refused.stderr
    assert not Path("submission/submission.zip").exists()
    assert run(source, "--allow", ".env").exit_code == 0


def test_the_document_says_everything(source: Path) -> None:
    (source / "main.py").write_text("print 'hello'")
    result = run(source, "-o", "s.zip", "--store", "--json")
    document = json.loads(result.stdout)
    assert document["path"] == "s.zip"
    assert document["sha256"] == sha256_of(Path("s.zip"))
    assert document["size_bytes"] == Path("s.zip").stat().st_size
    assert document["total_bytes"] == sum(file["size_bytes"] for file in document["files"])
    assert document["left_out"] == [{"name": "__pycache__/", "reason": "cache"}]
    assert document["warnings"][0].startswith("main.py:1")
    assert "13 files" in result.stderr


def test_a_refusal_is_a_document_too(source: Path) -> None:
    (source / "main.py").unlink()
    result = run(source, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["problems"][0]["code"] == "no_main"


def test_no_progress_is_shown_where_there_is_no_terminal(source: Path) -> None:
    assert "Packing" not in run(source).stderr
