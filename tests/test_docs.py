"""What the documents promise is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from whaledo.cli.app import application
from whaledo.execution.contract import ENVIRONMENT, Limits
from whaledo.execution.records import Code, Guarantee
from whaledo.units import parse_duration, parse_size

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def test_every_verdict_is_explained_and_no_other() -> None:
    text = (ROOT / "docs/running.md").read_text("utf-8").partition("## How a run can end")[2]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [code.value for code in Code]


def test_every_guarantee_is_explained_and_no_other() -> None:
    text = (ROOT / "docs/isolation.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [name.value for name in Guarantee]


def test_the_limits_in_the_document_are_those_of_the_contract() -> None:
    text = (ROOT / "docs/running.md").read_text("utf-8")
    given = dict(re.findall(r"^\| `--([\w-]+)` \| `?(\w+)`? \|", text, re.MULTILINE))
    limits = Limits()
    assert parse_duration(given["timeout"]) == limits.wall_s
    assert parse_size(given["memory"]) == limits.memory_bytes
    assert int(given["pids"]) == limits.processes
    assert parse_size(given["disk"]) == limits.disk_bytes
    assert parse_size(given["shm-size"]) == limits.shm_bytes
    assert parse_size(given["log-limit"]) == limits.log_bytes


def test_the_defaults_of_the_command_are_those_of_the_contract() -> None:
    options = {option.name: option.default for option in get_command(application()).commands["run"].params}  # type: ignore[attr-defined]  # a group has commands
    limits = Limits()
    assert parse_duration(str(options["timeout"])) == limits.wall_s
    for name, value in (
        ("memory", limits.memory_bytes),
        ("disk", limits.disk_bytes),
        ("shm_size", limits.shm_bytes),
        ("log_limit", limits.log_bytes),
    ):
        assert parse_size(str(options[name])) == value, name
    assert options["pids"] == limits.processes
    assert options["cpus"] == limits.cpus


def test_every_variable_of_a_run_is_named() -> None:
    text = (ROOT / "docs/running.md").read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| variables |"))
    assert set(re.findall(r"`(\w+)`", row)) == set(ENVIRONMENT)


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_command_in_a_document_exists(document: Path) -> None:
    known = get_command(application()).commands  # type: ignore[attr-defined]  # a group has commands
    text = document.read_text("utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
    for command, sub in re.findall(r"(?:^|[`/]|bin/)whaledo ([a-z]+)(?: ([a-z]+))?", code, re.MULTILINE):
        assert command in known, f"whaledo {command}"
        if sub and hasattr(known[command], "commands"):
            assert sub in known[command].commands, f"whaledo {command} {sub}"
