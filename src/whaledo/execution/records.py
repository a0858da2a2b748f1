"""What goes into a run and what comes out of it: one request, one result, both plain JSON.

Nothing about a run lives only in the terminal that started it: a queue or a cluster calls `run()` with the
same `RunRequest` and gets the same `RunResult` as the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from whaledo.errors import Fault, Problem, Severity, UsageError
from whaledo.execution.contract import Limits, Network

SMOKE_QUERIES = 3
"""Queries of each scenario that a smoke run has where nobody says how many."""


class Step(StrEnum):
    """The steps of a run, in order; a verdict names the one it fell in."""

    CHECK = "check"
    UNPACK = "unpack"
    SMOKE = "smoke"
    SMOKE_AGAIN = "smoke_again"
    START = "start"
    RUN = "run"
    COLLECT = "collect"
    VALIDATE = "validate"


class Code(StrEnum):
    """How a run can end. The list is closed; only `platform_error` is our fault."""

    OK = "ok"
    BAD_ARCHIVE = "bad_archive"
    NO_MAIN = "no_main"
    MISSING_IMPORT = "missing_import"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_PROCESSES = "too_many_processes"
    DISK_FULL = "disk_full"
    LOG_LIMIT = "log_limit"
    NO_OUTPUT = "no_output"
    INVALID_OUTPUT = "invalid_output"
    CANCELLED = "cancelled"
    PLATFORM_ERROR = "platform_error"


class Level(StrEnum):
    """How far a guarantee holds on this host."""

    ENFORCED = "enforced"
    BEST_EFFORT = "best_effort"
    NOT_ENFORCED = "not_enforced"

    def reaches(self, needed: Level) -> bool:
        """Whether this is as good as `needed`, or better."""
        order = list(Level)
        return order.index(self) <= order.index(needed)


class Guarantee(StrEnum):
    """What a run promises; `meaning` says it in a sentence."""

    NETWORK = "network"
    FILES = "files"
    PROCESSES = "processes"
    PRIVILEGES = "privileges"
    SYSTEM_CALLS = "system_calls"
    WALL_TIME = "wall_time"
    MEMORY = "memory"
    PROCESS_COUNT = "process_count"
    CPUS = "cpus"
    DISK = "disk"
    LOG = "log"

    @property
    def meaning(self) -> str:
        """The promise, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Guarantee.NETWORK: "nothing outside the run's own loopback can be reached",
    Guarantee.FILES: "data is read-only, and no file of the host is in sight but the system's programs",
    Guarantee.PROCESSES: "no process outside the run can be seen or signalled, and none outlives it",
    Guarantee.PRIVILEGES: "an ordinary user without capabilities that can't gain any",
    Guarantee.SYSTEM_CALLS: "kernel interfaces that research code doesn't need are refused",
    Guarantee.WALL_TIME: "everything is killed at the time limit",
    Guarantee.MEMORY: "memory of all processes together stays under its limit",
    Guarantee.PROCESS_COUNT: "the number of processes and threads stays under its limit",
    Guarantee.CPUS: "processor time stays under its limit",
    Guarantee.DISK: "bytes and files written stay under their limits",
    Guarantee.LOG: "what is kept of the output stays under its limit",
}


@dataclass(frozen=True, slots=True)
class Held:
    """How one guarantee holds: its level, and why it isn't more or by what means it holds."""

    level: Level
    by: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run, completely described.

    Attributes:
        submission: path of the zip.
        data: path of the data folder.
        output: folder that gets `submission.csv`, `log.txt` and `run.json`.
        engine: `auto`, or the name of an engine.
        profile: `auto`, or the name of an environment profile.
        image: the container image to use instead of the profile's own; container engines only.
        gpu: whether the run is shown the host's GPUs; None: where the profile is made for them and there are any.
        limits: what the run may use.
        network: whether it may reach the network.
        show_identities: whether the whole data folder is shown, labels and all, for debugging.
        smoke: how many queries of each scenario to try the submission with before the run; None: no such try.
        twice: whether to try it a second time on the same queries and compare; alone it brings `SMOKE_QUERIES`.
        require: the level that every guarantee has to reach, or nothing is started; None: whatever there is.
        check: whether the submission is read before it runs, so that what is certain to fail isn't started.

    Raises:
        UsageError: `smoke` is less than 1, or there is to be a smoke run that shows identities.
    """

    submission: str
    data: str
    output: str
    engine: str = "auto"
    profile: str = "auto"
    limits: Limits = field(default_factory=Limits)
    network: Network = Network.NONE
    show_identities: bool = False
    image: str | None = None
    gpu: bool | None = None
    smoke: int | None = None
    twice: bool = False
    require: Level | None = None
    check: bool = True

    def __post_init__(self) -> None:
        if self.smoke is not None and self.smoke < 1:
            raise UsageError(
                f"a smoke run of {self.smoke} queries tries nothing",
                hint=f"give at least 1 query of each scenario, such as --smoke {SMOKE_QUERIES}, or leave it out",
            )
        if self.smoke_queries is not None and self.show_identities:
            raise UsageError(
                "a smoke run has a small part of the data without any labels, so it can't show identities",
                hint="leave out --show-identities, or --smoke and --twice",
            )

    @property
    def smoke_queries(self) -> int | None:
        """How many queries of each scenario the smoke run has; None where there is no smoke run."""
        return SMOKE_QUERIES if self.smoke is None and self.twice else self.smoke

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RunRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        limits, network = Limits(**document["limits"]), Network(document["network"])
        require = None if document.get("require") is None else Level(document["require"])
        return cls(**{**document, "limits": limits, "network": network, "require": require})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended, and what to do about it.

    Attributes:
        code: one of the closed list.
        step: the step of the run that it fell in.
        fault: who has to act; None where all is well.
        message: what happened, with the figures.
        hint: what to do.
        used: how much of a limit was used, in the unit of `limit_name`, where a limit decided.
        limit: that limit.
        limit_name: its name in `Limits`.
        proven: whether a counter or our own act shows the cause; False where it is inferred from the log.
        details: further lines, such as the problems of the csv.
    """

    code: Code
    step: Step
    fault: Fault | None
    message: str
    hint: str = ""
    used: float | None = None
    limit: float | None = None
    limit_name: str | None = None
    proven: bool = True
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run used; None where this host couldn't measure it.

    Attributes:
        wall_s: seconds between the start of `main.py` and the end of the last process.
        cpu_s: processor seconds of all processes.
        peak_memory_bytes: the most memory in use at one time.
        max_processes: the most processes and threads at one time.
        output_bytes: bytes written and still there at the end, all writable places together.
        log_bytes: bytes printed, kept or not.
        log_dropped_bytes: bytes of these that log.txt doesn't hold.
        sampled: names of the figures that were looked at now and then rather than counted.
    """

    wall_s: float = 0.0
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    max_processes: int | None = None
    output_bytes: int | None = None
    log_bytes: int = 0
    log_dropped_bytes: int = 0
    sampled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """What reading the submission before its run found; docs/preflight.md says what there is to be found.

    Attributes:
        profile: the one that imports were held against; None: nobody knows what the run's image holds.
        modules: how many modules were read.
        problems: what was found, one entry a kind, as `Problems.to_json` has it.
        not_checked: why the submission couldn't be read; empty where it could.
    """

    profile: str | None
    modules: int = 0
    problems: tuple[Mapping[str, Any], ...] = ()
    not_checked: str = ""

    def lines(self, severity: Severity, code: str | None = None) -> tuple[str, ...]:
        """What was found, or what of one kind, a line each: `main.py:4: what is wrong (what to do)`."""
        found: list[str] = []
        for kind in self._kinds(severity):
            if code not in (None, kind["code"]):
                continue
            found += (str(Problem(kind["code"], **shown)) for shown in kind["shown"])
            if (more := kind["total"] - len(kind["shown"])) > 0:
                found.append(f"… and {more:,} more like these")
        return tuple(found)

    def total(self, severity: Severity) -> int:
        """How many errors or warnings there are, shown or not."""
        return sum(kind["total"] for kind in self._kinds(severity))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What deserves a look and stops nothing, a line each."""
        told = (f"the submission couldn't be checked before the run: {self.not_checked}",)
        return self.lines(Severity.WARNING) + (told if self.not_checked else ())

    def _kinds(self, severity: Severity) -> list[Mapping[str, Any]]:
        return [kind for kind in self.problems if kind["severity"] == severity]


class Agreement(StrEnum):
    """How alike two runs of the same submission on the same data are."""

    IDENTICAL = "identical"
    SAME_RANKING = "same_ranking"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of the same submission on the same data, compared.

    Attributes:
        agreement: identical: the same pairs with the same scores; same ranking: the same images in the same order,
            ties included, with other scores; different: anything else.
        differing_queries: queries whose ranking differs.
        unpaired: pairs of query and image that only one of the two has.
        largest_difference: of the two scores of one pair; None where no pair is in both.
        query_id: where that is; where no score differs, a pair that only one of the two has; None without any.
        image_id: likewise.
    """

    agreement: Agreement
    differing_queries: int = 0
    unpaired: int = 0
    largest_difference: float | None = None
    query_id: str | None = None
    image_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One run on the smoke data: how it ended, what it used, seconds of each of its steps, and its warnings."""

    verdict: Verdict
    usage: Usage
    steps: Mapping[str, float]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Smoke:
    """The smoke run that came before a run.

    Attributes:
        queries_per_scenario: how many were asked for.
        queries: how many there were, all scenarios together.
        images: photographs in the small data folder.
        folder: where its csv, log and record are, relative to the output folder.
        first: how it went.
        second: how it went again, where it was to be run twice and the first was well.
        comparison: what the two have in common, where both ended well.
    """

    queries_per_scenario: int
    queries: int
    images: int
    folder: str
    first: Trial
    second: Trial | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything that is known of a run when it is over: this is `run.json`.

    Attributes:
        run_id: unique name of the run.
        whaledo: the version that ran it.
        started: when, in UTC, ISO 8601.
        verdict: how it ended.
        engine: name and version of the engine, and `guarantees` by name.
        submission: file, sha256, bytes, and files of the zip, as far as it could be opened.
        environment: profile, and sha256 of its lock.
        data: folder, and what of it the run didn't see.
        limits: what it might use.
        usage: what it used.
        steps: seconds of each step.
        rankings: queries answered and not answered, and rows, of a csv that was read.
        warnings: what deserves a look though the run is fine.
        check: what reading the submission found before it; None where it wasn't read.
        smoke: the smoke run before it, where one was asked for and begun.
    """

    run_id: str
    whaledo: str
    started: str
    verdict: Verdict
    engine: Mapping[str, Any]
    submission: Mapping[str, Any]
    environment: Mapping[str, Any]
    data: Mapping[str, Any]
    limits: Limits
    usage: Usage
    steps: Mapping[str, float]
    rankings: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    smoke: Smoke | None = None
    check: Check | None = None

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)
