"""Check a submission before it runs: one request in, everything that was found out. Nothing is executed or printed.

It sees what a careful reader would see in a minute. That a submission passes doesn't promise that it runs; that it
has an error promises that it doesn't.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from whaledo.archive import find_main, shown
from whaledo.archive.main_file import MAIN
from whaledo.errors import Problems, Severity
from whaledo.submission.preflight.contents import Contents, opened
from whaledo.submission.preflight.downloads import fetched, has_cache
from whaledo.submission.preflight.environment import Environment
from whaledo.submission.preflight.files import missing_files, unused_files
from whaledo.submission.preflight.habits import (
    gpu_only,
    has_tables,
    hidden_data,
    keyboard,
    own_paths,
    written_columns,
)
from whaledo.submission.preflight.importing import is_there, missing_imports, unreached_imports
from whaledo.submission.preflight.kinds import Finding
from whaledo.submission.preflight.module import Module
from whaledo.submission.preflight.reach import Reached, Reader, reach
from whaledo.units import show_size

LARGE_ZIP_BYTES = 8 << 30
"""As packing has it; asking `pack` itself would cost every run the time to import it."""

MOST_FINDINGS = 1000
"""Explaining a finding takes up to a millisecond, and nobody reads this many."""

AUTO = "auto"
"""The smallest profile that has all that is surely imported, or as much of it as any."""


_PROFILES_ONLY = {"syntax_error", "missing_file"}
"""What an image of somebody's own may make good: a newer Python reads more, and files may lie in the image."""


@dataclass(frozen=True, slots=True)
class PreflightRequest:
    """One check, completely described.

    Attributes:
        submission: path of the zip, or of the folder that is to be packed.
        profiles: for each profile, smallest first, the top-level names that it lets one import, and the
            distribution that each comes from.
        profile: the one to check for, or `auto`; None: packages that nobody knows, as in an image of the caller's
            own, so that nothing is said of imports from outside the submission.
        gpu_profiles: those that run with a GPU.
        offline: whether the run has no network.
        shows_identities: whether the run sees the whole data folder.
    """

    submission: str
    profiles: Mapping[str, Mapping[str, str]]
    profile: str | None = AUTO
    gpu_profiles: tuple[str, ...] = ("gpu",)
    offline: bool = True
    shows_identities: bool = False


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """What was found.

    Attributes:
        submission: as it was asked for.
        profile: that it was checked for; None: packages that nobody knows.
        files: how many files there are.
        total_bytes: of these, unpacked.
        modules: the Python files that were read, main.py first.
        problems: errors, then warnings, each with file and line.
    """

    submission: str
    profile: str | None
    files: int
    total_bytes: int
    modules: tuple[str, ...]
    problems: Problems = field(default_factory=Problems)

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return self.problems.errors == 0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        counts = {"ok": self.ok, "errors": self.problems.errors, "warnings": self.problems.warnings}
        return {**asdict(self), **counts, "problems": self.problems.to_json()}


def check_submission(request: PreflightRequest) -> PreflightResult:
    """Check a zip, or a folder as it would be packed.

    Raises:
        BadArchive: the zip can't be opened safely: all that is wrong with it in `problems`.
        BadSubmission: the folder can't be packed.
        UsageError: there is nothing of that name, or it may not be read.
        MachineError: the disk fails.
    """
    path = Path(request.submission)
    with opened(path) as contents:
        main = find_main(contents.files.values(), shown(str(path)))
        if main.found:
            reader = Reader(contents)
            reached = reach(contents, reader)
            profile = _profile(request, reached)
            findings = list(_findings(request, contents, reached, reader, profile))
            if profile is None:
                findings = list(map(_doubted, findings))
            modules = tuple(reached.modules)
        else:
            profile = next(iter(request.profiles)) if request.profile == AUTO else request.profile
            findings, modules = [Finding("no_main", main.message, main.hint)], ()
        findings += _large(contents)
    total_bytes = sum(file.size_bytes for file in contents.files.values())
    problems = _sorted(findings)
    return PreflightResult(request.submission, profile, len(contents.files), total_bytes, modules, problems)


def _profile(request: PreflightRequest, reached: Reached) -> str | None:
    if request.profile != AUTO:
        return request.profile

    def lacks(profile: str) -> int:
        environment = Environment(profile, request.profiles)
        wanted = (each for each in reached.wanted if each.where.sure and each.module.file in reached.sure)
        return sum(not is_there(each, environment) for each in wanted)

    return min(request.profiles, key=lacks)


def _findings(
    request: PreflightRequest, contents: Contents, reached: Reached, reader: Reader, profile: str | None
) -> Iterator[Finding]:
    environment = Environment(profile, request.profiles)
    modules = list(reached.modules.values())
    yield from reached.findings
    for finding in islice(_in_modules(request, contents, reached, profile, environment), MOST_FINDINGS):
        module = reached.modules.get(finding.file or "")
        if module is None or not {finding.line, finding.last_line} & module.silenced:
            yield finding
    if reached.complete:
        yield from unused_files(modules, contents)
        yield from unreached_imports(reached, reader, environment)


def _in_modules(
    request: PreflightRequest,
    contents: Contents,
    reached: Reached,
    profile: str | None,
    environment: Environment,
) -> Iterator[Finding]:
    modules = list(reached.modules.values())
    yield from missing_imports(reached, environment)
    yield from missing_files(modules, contents, reached.sure)
    cached, own_tables = has_cache(contents, modules), has_tables(contents)
    written = written_columns(modules)
    for module in modules:
        sure = module.file in reached.sure
        if request.offline:
            yield from _downloads(module, contents, cached=cached, sure=sure)
        yield from keyboard(module, sure=sure)
        yield from own_paths(module)
        if not request.shows_identities:
            yield from hidden_data(module, written, own_tables=own_tables)
        if profile is not None and profile not in request.gpu_profiles:
            yield from gpu_only(module)


def _downloads(module: Module, contents: Contents, *, cached: bool, sure: bool) -> Iterator[Finding]:
    for call, kind, message, hint, fails in fetched(module, contents, cached=cached):
        place = module.file, call.lineno, call.end_lineno
        yield Finding(kind, message, hint, *place, sure=fails and sure)


def _doubted(finding: Finding) -> Finding:
    """What is certain with our own profiles, and isn't where packages are unknown."""
    return replace(finding, sure=finding.sure and finding.kind not in _PROFILES_ONLY)


def _large(contents: Contents) -> Iterator[Finding]:
    if contents.size_bytes is not None and contents.size_bytes > LARGE_ZIP_BYTES:
        message = f"the zip is {show_size(contents.size_bytes)}: it takes long to upload and to unpack"
        yield Finding("large_zip", message)


def _sorted(findings: Iterable[Finding]) -> Problems:
    """All findings as problems: errors first, each kind by file and line, main.py before all others."""
    found = {finding.problem() for finding in findings}
    problems = Problems()
    for problem in sorted(
        found,
        key=lambda p: (
            p.severity is not Severity.ERROR,
            p.code,
            p.file != MAIN,
            p.file or "",
            p.line or 0,
            p.message,
        ),
    ):
        problems.add(problem)
    return problems
