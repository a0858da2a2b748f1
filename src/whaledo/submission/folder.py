"""Go through the folder that is to be packed: what goes in, what is left out and why, what can't be packed.

Nothing is changed, and nothing stops at the first problem. A link to a file inside the folder stands for that
file; links out of the folder are refused, because what they lead to isn't the competitor's submission until it
is copied there, and links to folders, because they can lead round in circles.

Whether a file may be started as a program is taken from how it begins (`#!` or ELF), as the kernel does, and
not from its mode: a folder that went through Windows, FAT or a download has lost its modes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from whaledo.archive import Member, shown
from whaledo.archive.rules import SPECIAL_KINDS
from whaledo.errors import Problem, Problems
from whaledo.submission.left_out import IGNORE_FILE, VIRTUAL_ENVIRONMENTS, Rules
from whaledo.submission.secrets import head_bytes, secret_kind

_PROGRAMS = (b"#!", b"\x7fELF")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that doesn't go in; a folder's name ends with a slash."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """A member of the zip to be, and the file that it is made from; None: a folder."""

    member: Member
    path: Path | None


@dataclass(slots=True)
class Scan:
    """What was found in a folder.

    Attributes:
        sources: what goes in, by name in the order of its UTF-8 bytes.
        left_out: what doesn't, and why.
        problems: what can't be packed.
    """

    sources: list[Source] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)

    def refuse(self, code: str, name: str, message: str, hint: str = "") -> None:
        """Note what can't be packed."""
        self.problems.add(Problem(code, message, hint, file=shown(name)))


def scan_folder(root: Path, rules: Rules, *, allow: Sequence[str] = (), written: Path | None = None) -> Scan:
    """Look at everything in a folder.

    Args:
        root: the folder, with all links in its own path resolved.
        rules: what is left out.
        allow: likely secrets that may go in, by path or by name.
        written: the zip that is being made, with the links in its path resolved: it never goes in.
    """
    scan = Scan()
    pending = [""]
    while pending:
        name = pending.pop()
        folder = root / name if name else root
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            scan.refuse("unreadable", f"{name or '.'}/", f"can't be read: {error.strerror}", _readable(name))
            continue
        if name and not entries:
            scan.sources.append(Source(Member(name, 0, is_folder=True), None))
        for entry in entries:
            path = f"{name}/{entry.name}" if name else entry.name
            if reason := _reason(entry, path, rules, written):
                is_folder = entry.is_dir(follow_symlinks=False)
                scan.left_out.append(LeftOut(f"{path}/" if is_folder else path, reason))
            elif entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif file := _resolved(entry, path, root, scan):
                _take(file, path, root, allow, scan)
    scan.sources.sort(key=lambda source: os.fsencode(source.member.name))
    scan.left_out.sort(key=lambda left: left.name)
    return scan


def _reason(entry: os.DirEntry[str], name: str, rules: Rules, written: Path | None) -> str | None:
    """Why an entry is left out; None: it isn't."""
    is_folder = entry.is_dir(follow_symlinks=False)
    if reason := rules.reason(name, is_folder=is_folder):
        return reason
    if written is not None:
        if Path(entry.path) == written:
            return "the zip itself"
        # `whaledo pack .` writes its zip, and a run its log, into the folder's own submission/.
        if name == "submission" and Path(entry.path) == written.parent:
            return "where the zip is written"
    if not is_folder:
        return None
    marks = VIRTUAL_ENVIRONMENTS.items()
    return next((why for mark, why in marks if os.access(Path(entry.path, mark), os.F_OK)), None)


def _resolved(entry: os.DirEntry[str], name: str, root: Path, scan: Scan) -> Path | None:
    """The file that an entry stands for; None: it can't be packed, and that is noted."""
    path = Path(entry.path)
    if entry.is_symlink():
        leads_to = shown(str(path.readlink()))
        try:
            path = path.resolve(strict=True)
        except (OSError, RuntimeError):
            scan.refuse(
                "broken_link", name, f"is a link to {leads_to}, which leads nowhere", "delete the link"
            )
            return None
        if not path.is_relative_to(root):
            hint = "replace the link by a copy of what it leads to"
            scan.refuse("link_outside", name, f"is a link out of the folder, to {leads_to}", hint)
            return None
        if path.is_dir():
            hint = "replace the link by a copy of the folder"
            scan.refuse("link_to_folder", name, f"is a link to a folder, {leads_to}", hint)
            return None
    return path


def _take(path: Path, name: str, root: Path, allow: Sequence[str], scan: Scan) -> None:
    """Take a file in, unless it can't be read or probably holds a secret."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind != stat.S_IFREG:
            what = SPECIAL_KINDS.get(kind, "neither a file nor a folder")
            scan.refuse("special_file", name, f"is {what}", f"delete it, or name it in {IGNORE_FILE}")
            return
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            head = file.read(head_bytes(name))
    except OSError as error:
        scan.refuse("unreadable", name, f"can't be read: {error.strerror}", _readable(name))
        return
    scan.sources.append(Source(Member(name, size_bytes, executable=head.startswith(_PROGRAMS)), path))
    for called in _names(path, name, root):
        if (secret := secret_kind(called, head)) and not {called, called.rpartition("/")[2]} & set(allow):
            hint = f"delete it, name it in {IGNORE_FILE}, or pack it knowingly with --allow {shown(called)}"
            scan.refuse("secret", name, f"probably holds {secret}", hint)
            return


def _names(path: Path, name: str, root: Path) -> Iterator[str]:
    """What a file is called: by itself, and where a link led to it also by that name."""
    yield name
    if (target := path.relative_to(root).as_posix()) != name:
        yield target


def _readable(name: str) -> str:
    return f"make it readable (`chmod u+r`), or name it in {IGNORE_FILE}" if name else ""
