"""What the doctor found: attempts on each guarantee of each engine, and what follows from them.

A claim and its proof are kept apart: `Held` is what the engine said of the very runs in which the probe attacked,
`Attempt` is what came of an attack. Only both together make a finding, and a finding never flatters: where no
attack could tell, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from whaledo.execution.records import Guarantee, Held, Level


class Outcome(StrEnum):
    """What came of an attack."""

    WITHSTOOD = "withstood"
    BROKE = "broke"
    SAYS_NOTHING = "says_nothing"


class Finding(StrEnum):
    """What is to be thought of one guarantee of one engine."""

    ENFORCED = "enforced"
    BEST_EFFORT = "best_effort"
    NOT_ENFORCED = "not_enforced"
    UNTRIED = "untried"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attack on one guarantee.

    Attributes:
        guarantee: what it was after.
        what: the attack, in a few words.
        outcome: what came of it.
        saw: what showed that.
    """

    guarantee: Guarantee
    what: str
    outcome: Outcome
    saw: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One guarantee of one engine on this host.

    Attributes:
        guarantee: the promise.
        held: what the engine claims, and by what means or why it isn't more.
        attempts: every attack on it.
        mend: the line that would make it more; empty where it is enforced, or nothing is known.
    """

    guarantee: Guarantee
    held: Held
    attempts: tuple[Attempt, ...] = ()
    mend: str = ""

    def came(self, outcome: Outcome) -> list[Attempt]:
        """The attacks with this outcome."""
        return [attempt for attempt in self.attempts if attempt.outcome is outcome]

    @property
    def finding(self) -> Finding:
        """Claim and proof in one word."""
        if self.held.level is Level.NOT_ENFORCED:
            return Finding.NOT_ENFORCED
        if self.came(Outcome.BROKE):
            return Finding.BROKEN
        return Finding(self.held.level.value) if self.came(Outcome.WITHSTOOD) else Finding.UNTRIED


@dataclass(frozen=True, slots=True)
class EngineReport:
    """One engine on this host.

    Attributes:
        engine: its name.
        version: of the program behind it; empty where it can't be used.
        profile: the profile that the probe ran with; empty where it can't be used.
        absent: whether it isn't installed, doesn't answer or has no packages, so that `auto` passes it over.
        unusable: why it can't run anything; empty where it can.
        mend: what to do about that.
        guarantees: each of them, examined; none where it can't be used.
        wall_s: seconds that the examination took.
    """

    engine: str
    version: str = ""
    profile: str = ""
    absent: bool = False
    unusable: str = ""
    mend: str = ""
    guarantees: tuple[Examined, ...] = ()
    wall_s: float = 0.0

    def found(self, *findings: Finding) -> list[Examined]:
        """The guarantees with one of these findings."""
        return [each for each in self.guarantees if each.finding in findings]


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the host that runs will meet, whatever the engine.

    Attributes:
        code: what it is about, in snake_case.
        text: what is the case.
        mend: what to do about it; empty where nothing has to be done.
    """

    code: str
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that the doctor found.

    Attributes:
        kernel: the host's kernel, and its processor.
        started: when, in UTC, ISO 8601.
        judged: the engine that `--strict` is about: the one that `auto` takes, or that was named.
        engines: each engine.
        notes: what is worth knowing of the host.
    """

    kernel: str
    started: str
    judged: str
    engines: tuple[EngineReport, ...]
    notes: tuple[Note, ...] = ()

    @property
    def broken(self) -> list[tuple[str, Examined]]:
        """Claims that the probe broke, each with its engine."""
        return [(report.engine, each) for report in self.engines for each in report.found(Finding.BROKEN)]

    def shortcomings(self, *, strict: bool) -> list[str]:
        """Why the host fails: broken claims; an engine that can't run anything; strictly, all that isn't enforced."""
        wrong = [f"{engine}: {each.guarantee} is claimed and was broken" for engine, each in self.broken]
        report = next(report for report in self.engines if report.engine == self.judged)
        if report.unusable:
            wrong.append(f"{report.engine} can't run submissions here")
        if strict:
            less = report.found(Finding.BEST_EFFORT, Finding.NOT_ENFORCED, Finding.UNTRIED)
            wrong += [
                f"{report.engine}: {each.guarantee} is {each.finding.value.replace('_', ' ')}"
                for each in less
            ]
        return wrong

    def to_json(self, shortcomings: Sequence[str]) -> dict[str, Any]:
        """The diagnosis as JSON, with each finding and why the host fails, if it does."""
        document = asdict(self)
        for report, written in zip(self.engines, document["engines"], strict=True):
            for each, entry in zip(report.guarantees, written["guarantees"], strict=True):
                entry["finding"] = each.finding.value
        return {**document, "shortcomings": list(shortcomings)}
