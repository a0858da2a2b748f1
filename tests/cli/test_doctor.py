"""`whaledo doctor`: what a person reads, what a program reads, and how it ends. Its findings here are made up."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.doctor import WIDTH, doctor
from whaledo.doctor import diagnosis as room
from whaledo.doctor.records import Attempt, Diagnosis, EngineReport, Examined, Note, Outcome
from whaledo.execution.records import Guarantee, Held, Level


def examined(
    name: Guarantee, level: Level, outcome: Outcome, by: str = "by its means", mend: str = ""
) -> Examined:
    return Examined(name, Held(level, by), (Attempt(name, "an attack", outcome, "seen " * 30),), mend)


def found(*guarantees: Examined) -> Diagnosis:
    return Diagnosis(
        "Linux 6.18 x86_64",
        "2026-01-01T00:00:00+00:00",
        "bubblewrap",
        (
            EngineReport("bubblewrap", "0.8.0", "core", guarantees=guarantees, wall_s=9.0),
            EngineReport("podman", absent=True, unusable="podman isn't installed", mend="apt install podman"),
        ),
        (Note("clock", "the clock is wrong " * 9, "set it"),),
    )


FINE = found(examined(Guarantee.NETWORK, Level.ENFORCED, Outcome.WITHSTOOD))
LESS = found(
    examined(Guarantee.MEMORY, Level.BEST_EFFORT, Outcome.WITHSTOOD, mend="sudo loginctl enable-linger ada"),
    examined(Guarantee.CPUS, Level.ENFORCED, Outcome.SAYS_NOTHING),
)
BROKEN = found(examined(Guarantee.FILES, Level.ENFORCED, Outcome.BROKE, by="by its means " * 20))


def run(monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis, *arguments: str) -> Result:
    def diagnose(engine: str, on_trial: Any) -> Diagnosis:
        on_trial("bubblewrap", "look")
        return diagnosis

    monkeypatch.setattr(room, "diagnose", diagnose)
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, arguments)


def test_a_host_that_holds_everything_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, FINE, "--strict")
    assert result.exit_code == 0
    assert "✓ network        enforced      1 of 1     by its means" in result.stdout
    assert "podman isn't installed" in result.stdout
    assert "→ apt install podman" in result.stdout


def test_what_is_not_enforced_fails_with_strict_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, LESS).exit_code == 0
    strict = run(monkeypatch, LESS, "--strict")
    assert strict.exit_code == 3
    assert "✗ bubblewrap: memory is best effort" in strict.stdout
    assert "→ sudo loginctl enable-linger ada" in strict.stdout
    assert "? cpus           untried" in strict.stdout


def test_a_broken_claim_always_fails_and_is_shown_with_what_broke_it(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, BROKEN)
    assert result.exit_code == 3
    assert "✗ files          broken" in result.stdout
    assert "broken by: an attack: seen" in result.stdout
    assert "✗ bubblewrap: files is claimed and was broken" in result.stdout


@pytest.mark.parametrize("diagnosis", [FINE, LESS, BROKEN])
def test_everything_fits_on_the_screen(monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis) -> None:
    assert max(map(len, run(monkeypatch, diagnosis).stdout.splitlines())) <= WIDTH


def test_the_document_holds_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, BROKEN, "--json")
    document = json.loads(result.stdout)
    guarantee = document["engines"][0]["guarantees"][0]
    assert guarantee["finding"] == "broken"
    assert guarantee["held"]["level"] == "enforced"
    assert guarantee["attempts"][0]["what"] == "an attack"
    assert document["shortcomings"] == ["bubblewrap: files is claimed and was broken"]
    assert document["notes"][0]["mend"] == "set it"
    assert document["engines"][1]["unusable"] == "podman isn't installed"


def test_an_engine_that_does_not_exist_is_the_users_mistake() -> None:
    app = typer.Typer()
    app.command()(doctor)
    result = CliRunner().invoke(app, ["--engine", "rkt"])
    assert result.exit_code == 2
    assert "there is no engine `rkt`" in result.stderr
