"""The errors that a person sees: what is wrong, where, and what to do about it.

Everything that whaledo raises on purpose is a `WhaledoError`. It carries whose fault it is, which decides the
exit status, and, where a file was read, every problem of that file at once. Anything else that escapes is a
bug in whaledo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SHOWN_PER_CODE = 20


class Fault(StrEnum):
    """Who has to act: whoever wrote the submission, gave the data, typed the command, or runs the host."""

    SUBMISSION = "submission"
    DATA = "data"
    USAGE = "usage"
    MACHINE = "machine"

    @property
    def exit_status(self) -> int:
        """The exit status of the command line for this fault."""
        return {"submission": 1, "data": 1, "usage": 2, "machine": 3}[self.value]


class Severity(StrEnum):
    """Whether a problem makes its file unusable."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at one place.

    Attributes:
        code: what kind of problem, in snake_case; problems of one kind are counted together.
        message: what is wrong, with the value that is wrong.
        hint: what to do about it; empty where the message says it all.
        file: the file, as the person named it.
        line: 1-based line of that file.
        severity: an error refuses the file, a warning doesn't.
    """

    code: str
    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    severity: Severity = Severity.ERROR

    @property
    def place(self) -> str:
        """`file:line`, as far as known."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} ({self.hint})" if self.hint else text


@dataclass(slots=True)
class Kind:
    """The problems of one code: how many there are, and the first `SHOWN_PER_CODE` of them."""

    total: int = 0
    shown: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Problems:
    """All problems of what was read, by code: every one is counted, the first few of each code are kept."""

    kinds: dict[tuple[Severity, str], Kind] = field(default_factory=dict)

    def add(self, problem: Problem, total: int = 1) -> None:
        """Count `total` problems of one code, of which this is the next; keep it while its kind has room."""
        kind = self.kinds.setdefault((problem.severity, problem.code), Kind())
        kind.total += total
        if len(kind.shown) < SHOWN_PER_CODE:
            kind.shown.append(problem)

    def extend(self, other: Problems) -> None:
        """Take over the problems of another reading."""
        for key, theirs in other.kinds.items():
            kind = self.kinds.setdefault(key, Kind())
            kind.total += theirs.total
            kind.shown.extend(theirs.shown[: SHOWN_PER_CODE - len(kind.shown)])

    def __iter__(self) -> Iterator[Problem]:
        for kind in self.kinds.values():
            yield from kind.shown

    def __bool__(self) -> bool:
        return bool(self.kinds)

    def _total(self, severity: Severity) -> int:
        return sum(kind.total for (s, _), kind in self.kinds.items() if s is severity)

    @property
    def errors(self) -> int:
        """How many errors there are, shown or not."""
        return self._total(Severity.ERROR)

    @property
    def warnings(self) -> int:
        """How many warnings there are, shown or not."""
        return self._total(Severity.WARNING)

    def to_json(self) -> list[dict[str, Any]]:
        """One entry a kind: `code`, `severity`, `total`, and `shown` (file, line, message, hint of each)."""
        return [
            {
                "code": code,
                "severity": severity.value,
                "total": kind.total,
                "shown": [
                    {"file": p.file, "line": p.line, "message": p.message, "hint": p.hint} for p in kind.shown
                ],
            }
            for (severity, code), kind in self.kinds.items()
        ]


class WhaledoError(Exception):
    """Something a person can act on.

    Attributes:
        message: what is wrong, with the value.
        hint: what to do about it.
        fault: whose fault it is; decides the exit status.
        problems: where a file was at fault, all that is wrong with it.
    """

    fault: Fault = Fault.MACHINE

    def __init__(self, message: str, *, hint: str = "", problems: Problems | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = problems if problems is not None else Problems()


class MachineError(WhaledoError):
    """The host can't do what is needed, or whaledo is broken."""

    fault = Fault.MACHINE


class UsageError(WhaledoError):
    """The command doesn't make sense as it was typed."""

    fault = Fault.USAGE


class BadData(WhaledoError):
    """The data folder or the labels can't be used."""

    fault = Fault.DATA


class BadSubmission(WhaledoError):
    """The folder, the zip or the rankings that a competitor hands in can't be used."""

    fault = Fault.SUBMISSION


class BadArchive(BadSubmission):
    """The zip can't be opened safely.

    Attributes:
        member: the name inside the zip that is at fault, escaped for the screen; None: the zip itself.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        problems: Problems | None = None,
        member: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, problems=problems)
        self.member = member


class BadRankings(BadSubmission):
    """A `submission.csv` breaks the rules."""
