"""`whaledo env`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo import resources
from whaledo.cli import env
from whaledo.environment.catalogue import Entry, catalogue_text
from whaledo.errors import Fault
from whaledo.execution.contract import Limits
from whaledo.execution.records import Code, RunResult, Step, Usage, Verdict

COMMANDS: dict[str, Callable[..., None]] = {
    "add": env.add,
    "build": env.build,
    "diff": env.diff,
    "list": env.list_packages,
    "lock": env.lock,
    "test": env.run_tests,
}


def run(*arguments: str) -> Result:
    app = typer.Typer()
    for name, command in COMMANDS.items():
        app.command(name)(command)
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


def test_profiles_are_listed_with_whether_they_are_built(runtime: Any) -> None:
    assert run("list").stdout.splitlines()[1].split()[:2] == ["tiny", "1"]
    assert "not built" in run("list").stdout
    run("build", "--profile", "tiny")

    document = json.loads(run("list", "--json").stdout)
    assert [each["profile"] for each in document["profiles"]] == ["tiny"]
    assert document["profiles"][0]["folder"].startswith(str(runtime.environments))


def test_packages_are_listed_with_import_names_though_nothing_is_built(runtime: Any) -> None:
    entry = Entry("tiny-whale", "1.0", ("tiny",), 1, "MIT")
    (runtime.folder / "packages.json").write_text(catalogue_text([entry]))

    assert run("list", "--profile", "tiny").stdout.split() == ["tiny-whale", "1.0", "tiny"]
    document = json.loads(run("list", "--profile", "tiny", "--json").stdout)
    assert document["packages"] == [{"name": "tiny-whale", "version": "1.0", "imports": ["tiny"]}]
    assert document["folder"] is None


def test_an_unknown_profile_is_a_mistake_of_the_command(runtime: Any) -> None:
    result = run("list", "--profile", "orca")

    assert result.exit_code == 2
    assert "no profile `orca`" in result.stderr
    assert "tiny" in result.stderr


def test_a_difference_is_told_by_kind(runtime: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("tiny-whale==1.0+cpu\nkrill==2\n")

    result = run("diff", "tiny", str(tmp_path / "mine.txt"))
    assert f"only in {tmp_path / 'mine.txt'} (1):\n  krill  2\n" in result.stdout
    assert "built for other hardware (1):\n  tiny-whale  1.0 -> 1.0+cpu\n" in result.stdout
    assert result.stdout.endswith("The same in both: 0.\n")
    document = json.loads(run("diff", "tiny", str(tmp_path / "mine.txt"), "--json").stdout)
    assert document["added"] == [{"name": "krill", "before": None, "after": "2"}]
    assert document["removed"] == document["moved"] == []


def test_two_times_the_same_differ_in_nothing(runtime: Any) -> None:
    assert run("diff", "tiny", str(runtime.lock)).stdout == "The same in both: 1.\n"


@pytest.fixture
def real(locked: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tiny field in place of the real runtime folder, for commands that write there."""
    monkeypatch.setattr(resources, "runtime_folder", lambda: locked.folder)
    return locked


def test_adding_says_what_moves_for_everyone(real: Any) -> None:
    dry = run("add", "echo==2.0", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "echo  1.0     2.0    core cpu gpu" in dry.stdout
    assert "Nothing was written." in dry.stdout
    assert "echo==1.0" in (real.folder / "environment-core.lock").read_text()

    document = json.loads(run("add", "echo==2.0", "--json").stdout)
    assert document["written"] is True
    assert document["profiles"]["core"]["changes"][0]["licence"] == "MIT"
    assert "echo==2.0" in (real.folder / "environment-core.lock").read_text()


def test_adding_what_is_there_moves_nothing(real: Any) -> None:
    assert "nothing moves" in run("add", "echo==1.0", "--dry-run").stdout


def test_adding_the_impossible_is_a_mistake_of_the_command(real: Any) -> None:
    result = run("add", "echo==9", "--reason", "x")

    assert result.exit_code == 2
    assert "there is no version of echo==9" in result.stderr


def test_adding_without_a_reason_asks_for_one_before_anything_is_compiled(real: Any) -> None:
    result = run("add", "tiny-whale==1.0")

    assert result.exit_code == 2
    assert "--reason" in result.stderr


def test_locking_says_what_moved(real: Any) -> None:
    (real.folder / "environment.in").write_text("echo  # hears whales\n")

    upgraded = run("lock", "--upgrade").stdout
    assert "core, moved (1):\n  echo  1.0 -> 2.0\n" in upgraded


def test_tests_of_an_environment_that_is_not_built_say_how_to_build_it(runtime: Any) -> None:
    (runtime.folder / "tests").mkdir()
    for name in ("main.py", "test_tiny.py"):
        (runtime.folder / "tests" / name).write_text("print()\n")

    result = run("test", "--profile", "tiny")

    assert result.exit_code == 3
    assert "whaledo env build --profile tiny" in result.stderr


def test_an_environment_that_fails_its_tests_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Verdict(Code.CRASHED, Step.RUN, Fault.SUBMISSION, "main.py raised ImportError")
    result = RunResult("r", "0", "now", ended, {"name": "bubblewrap"}, {}, {}, {}, Limits(), Usage(), {})
    monkeypatch.setattr("whaledo.environment_test.run_environment_test", lambda *_, **__: result)

    answer = run("test", "--json")
    assert answer.exit_code == 3
    assert "the environment core fails its tests: main.py raised ImportError" in answer.stderr
    assert json.loads(answer.stdout)["verdict"]["code"] == "crashed"
