"""Asking for a package: what it would move for everyone, before anything is written.

A source (`runtime/environment*.in`) gets a line, every profile is compiled with it in a scratch folder, and what
came out is compared with the present locks. Only `Addition.write` changes files, and then all of them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from whaledo.environment.catalogue import Catalogue, Entry, catalogue_text, complete, read_catalogue
from whaledo.environment.changes import Change
from whaledo.environment.installed import normalised
from whaledo.environment.interpreter import VERSION
from whaledo.environment.locking import (
    TORCH_LOCK,
    compile_locks,
    files_of,
    moves,
    replace_files,
    torch_entries,
)
from whaledo.environment.profiles import public_version
from whaledo.environment.uv import run_uv
from whaledo.errors import MachineError, UsageError

SOURCES = {"core": "environment.in", "cpu": "environment-cpu.in"}
"""Which source to write to: `core` is every profile, `cpu` is `cpu` and `gpu`."""

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)(\[[\w,.-]+\])?==([\w.!+]+)")
_LINE = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[\w,.-]+\])?\s*[^#]*(?:#\s*(.*))?")
_REASON_COLUMN = 29
_FOR_ARM = (
    "--python-version",
    VERSION,
    "--python-platform",
    "aarch64-manylinux_2_28",
    "--only-binary",
    ":all:",
)
_UNSOLVABLE = "No solution found"


@dataclass(frozen=True, slots=True)
class Request:
    """A package that is asked for.

    Attributes:
        name: the distribution.
        requirement: what stands in the source: `timm==1.0.31`.
        reason: why it is wanted, for the comment beside it.
    """

    name: str
    requirement: str
    reason: str


@dataclass(frozen=True, slots=True)
class Addition:
    """What a request comes to; nothing is written yet.

    Attributes:
        request: what was asked for.
        source: name of the source that gets the line.
        files: the new text of every file that changes, by name.
        changes: what moves, by profile; packages that stay are not among them.
        known: what is known of each package, old and new.
        without_arm: names of packages among the changes that have no wheel for Linux on arm64.
    """

    request: Request
    source: str
    files: Mapping[str, str]
    changes: Mapping[str, tuple[Change, ...]]
    known: Catalogue
    without_arm: tuple[str, ...]

    def entry(self, change: Change) -> Entry | None:
        """What is known of the version that a change leads to; None where it leads to nothing."""
        return self.known.get((change.name, public_version(change.after))) if change.after else None

    def size_bytes(self, profile: str) -> int:
        """How much larger a profile becomes on disk; negative where it shrinks."""
        return sum(self._size(c.name, c.after) - self._size(c.name, c.before) for c in self.changes[profile])

    def _size(self, name: str, version: str | None) -> int:
        entry = self.known.get((name, public_version(version))) if version else None
        return entry.size_bytes if entry else 0

    def write(self, folder: Path) -> None:
        """Write the source, the locks and the catalogue of a runtime folder: all of them, or none.

        Raises:
            MachineError: one can't be written.
        """
        replace_files(folder, self.files)


def read_request(asked: str, reason: str) -> Request:
    """Read `PACKAGE==VERSION`.

    Raises:
        UsageError: it is something else.
    """
    match = _REQUIREMENT.fullmatch(asked.strip())
    if match is None:
        raise UsageError(
            f"`{asked}` is no package with a version", hint="write PACKAGE==VERSION, such as timm==1.0.31"
        )
    name = normalised(match[1])
    return Request(name, f"{name}{match[2] or ''}=={match[3]}", " ".join(reason.split()))


def with_line(source: str, request: Request) -> str:
    """The text of a source with the request in it: in the alphabet's place, or instead of the package's old line.

    The old line's reason stays where the request gives none.
    """
    lines = source.splitlines()
    listed = {normalised(match[1]): i for i, line in enumerate(lines) if (match := _LINE.fullmatch(line))}
    old = listed.pop(request.name, None)
    reason = request.reason
    if old is not None:
        match = _LINE.fullmatch(lines[old])
        reason = reason or (match[2] if match and match[2] else "")
        lines[old] = _line(request.requirement, reason)
    else:
        after = [i for name, i in listed.items() if name < request.name]
        first = min(listed.values(), default=len(lines))
        lines.insert(max(after) + 1 if after else first, _line(request.requirement, reason))
    return "\n".join([*lines, ""])


def _line(requirement: str, reason: str) -> str:
    return f"{requirement.ljust(_REASON_COLUMN - 1)} # {reason}" if reason else requirement


def require_reason(folder: Path, request: Request) -> None:
    """Insist on a reason for a package that no source lists yet, where it would be written beside it.

    Raises:
        UsageError: there is none.
    """
    if not request.reason and _listing_source(folder, request.name) is None:
        raise UsageError(
            f"{request.name} would stand there without a reason",
            hint='say what it is for: --reason "reads the tags on the photographs"; or only look, with --dry-run',
        )


def plan_addition(
    folder: Path, request: Request, profile: str, on_output: Callable[[str], None] = lambda _: None
) -> Addition:
    """Find out what a package would move.

    Args:
        folder: the runtime folder; it is only read.
        request: the package.
        profile: `core` for every profile, `cpu` for `cpu` and `gpu`. A package that is listed stays where it is.
        on_output: called with each line that tells how the new packages are fetched.

    Raises:
        UsageError: no versions fit together with it, or its version is decided elsewhere.
        MachineError: uv failed for another reason.
    """
    if request.name in torch_entries(folder):
        raise UsageError(
            f"the version of {request.name} is decided in {folder / TORCH_LOCK}, for all its builds",
            hint="docs/environment.md says how to move it",
        )
    source = _source(folder, request.name, profile)
    text = with_line((folder / source).read_text("utf-8"), request)
    locks = _compiled(folder, {source: text}, request)
    moved = moves(folder, locks)
    old = read_catalogue(folder)
    entries = complete(old, locks.values(), on_output)
    known = {**old, **{(entry.name, entry.version): entry for entry in entries}}
    files = {source: text, **files_of(locks, catalogue_text(entries))}
    return Addition(request, source, files, moved, known, _without_arm(moved))


def _source(folder: Path, name: str, profile: str) -> str:
    if listing := _listing_source(folder, name):
        return listing
    if profile not in SOURCES:
        raise UsageError(
            f"packages can't be added to the profile `{profile}`",
            hint="`core` adds to every profile, `cpu` to cpu and gpu, which hold the same",
        )
    return SOURCES[profile]


def _listing_source(folder: Path, name: str) -> str | None:
    """The source that lists a package already."""
    for source in SOURCES.values():
        lines = (_LINE.fullmatch(line) for line in (folder / source).read_text("utf-8").splitlines())
        if name in {normalised(match[1]) for match in lines if match}:
            return source
    return None


def _compiled(folder: Path, changed: Mapping[str, str], request: Request) -> dict[str, str]:
    try:
        return compile_locks(folder, changed=changed)
    except MachineError as error:
        if _UNSOLVABLE not in error.message:
            raise
        said = error.message.partition(":\n")[2]
        raise UsageError(
            f"{request.requirement} can't be had, and nothing was changed:\n{said}", hint=error.hint
        ) from error


def _without_arm(moved: Mapping[str, tuple[Change, ...]]) -> tuple[str, ...]:
    """The packages that can't be installed on Linux on arm64, which is what Docker on Apple silicon runs."""
    wanted = {(c.name, public_version(c.after)) for each in moved.values() for c in each if c.after}
    return tuple(name for name, version in sorted(wanted) if not _has_arm_wheel(f"{name}=={version}"))


def _has_arm_wheel(requirement: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="whaledo-wheel-") as place:
        folder = Path(place)
        (folder / "wanted.in").write_text(f"{requirement}\n", "utf-8")
        command = ("pip", "compile", "wanted.in", "--no-deps", *_FOR_ARM)
        try:
            run_uv(
                command, folder=folder, on_output=lambda _: None, doing=f"look for a wheel of {requirement}"
            )
        except MachineError as error:
            if _UNSOLVABLE not in error.message:
                raise
            return False
    return True
