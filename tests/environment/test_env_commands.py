"""`whaledo env`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import typer
from typer.testing import CliRunner, Result

from whaledo.cli.env import build, list_packages


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("build")(build)
    app.command("list")(list_packages)
    return CliRunner().invoke(app, arguments)


def test_building_says_what_was_built_and_where(runtime: Any) -> None:
    result = run("build", "--profile", "tiny")

    assert result.exit_code == 0
    assert result.stdout.startswith("Building the environment tiny.\n")
    assert f"1 package in {runtime.environments}/tiny-" in result.stdout.splitlines()[-1]


def test_what_is_there_is_said_to_be_there(runtime: Any) -> None:
    run("build", "--profile", "tiny")
    result = run("build", "--profile", "tiny")

    assert result.stdout.startswith("The environment tiny is there: 1 package in ")


def test_building_answers_programs_with_one_document(runtime: Any) -> None:
    result = run("build", "--profile", "tiny", "--json")

    document = json.loads(result.stdout)
    assert document["profile"] == "tiny"
    assert document["built"] is True
    assert document["packages"] == 1
    assert document["folder"].startswith(f"{runtime.environments}/tiny-{document['lock_sha256'][:12]}")


def test_a_build_that_fails_is_the_machines_fault(runtime: Any) -> None:
    runtime.lock.write_text(f"tiny-whale==1.0 --hash=sha256:{'0' * 64}\n")

    result = run("build", "--profile", "tiny", "--json")

    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["fault"] == "machine"
    assert "Hash mismatch" in result.stderr


def test_a_locked_profile_is_listed_without_import_names(runtime: Any) -> None:
    result = run("list", "--profile", "tiny")

    assert result.stdout.splitlines()[0].split() == ["tiny-whale", "1.0"]
    assert "whaledo env build --profile tiny" in result.stdout
    assert json.loads(run("list", "--profile", "tiny", "--json").stdout)["packages"] == [
        {"name": "tiny-whale", "version": "1.0", "imports": None}
    ]


def test_a_built_profile_is_listed_with_import_names(runtime: Any) -> None:
    run("build", "--profile", "tiny")

    assert run("list", "--profile", "tiny").stdout.split() == ["tiny-whale", "1.0", "tiny"]
    assert json.loads(run("list", "--profile", "tiny", "--json").stdout)["packages"] == [
        {"name": "tiny-whale", "version": "1.0", "imports": ["tiny"]}
    ]


def test_an_unknown_profile_is_a_mistake_of_the_command(runtime: Any) -> None:
    result = run("list", "--profile", "orca")

    assert result.exit_code == 2
    assert "no profile `orca`" in result.stderr
    assert "tiny" in result.stderr
