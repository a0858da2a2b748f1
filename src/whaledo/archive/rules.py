"""What is refused in a zip, by its names, kinds and sizes alone: pure functions, nothing is read or written.

A folder that is about to be packed is held against the same rules, so that whatever was packed can be opened.
Names that only differ in case, accents' encoding or closing dots are refused although Linux keeps them apart:
on the competitor's own machine one of them would have replaced the other.
"""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from whaledo.archive.listing import ArchiveLimits, Member, shown
from whaledo.archive.records import DEFLATED, ENCRYPTED_FLAGS, STORED
from whaledo.errors import BadArchive, Problem, Problems
from whaledo.units import show_size

RESERVED = {
    "data": "the run puts the photographs at data/, so a submission's own would be hidden by them",
    "submission": "the run collects submission.csv from submission/, which has to be empty at its start",
}
"""Names at the root that belong to the run, and why."""

METHODS = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64, which Windows uses for files over 2 GB",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}
"""Compression methods that people may meet, and that aren't read here."""

REMAKE = "make the zip with `whaledo pack FOLDER`, which writes only what can be opened"

SPECIAL_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What is neither a file nor a folder, by its file type."""

_DRIVE = re.compile(r"[A-Za-z]:")
_LINE_BREAKS = {"Cc", "Zl", "Zp"}


def refusal(archive: str, problems: Problems) -> BadArchive:
    """The error for all that is wrong with the members of a zip."""
    first = next(iter(problems))
    what = f"{first.file} {first.message}" if first.file else first.message
    if others := problems.errors - 1:
        what += f", and {others:,} more problem{'' if others == 1 else 's'}"
    message = f"{archive} can't be opened safely: {what}"
    return BadArchive(message, hint=REMAKE, problems=problems, member=first.file)


def check_members(members: Iterable[Member], limits: ArchiveLimits) -> Problems:
    """Hold all names against the rules, each by itself and against each other, and add up the sizes."""
    problems = Problems()
    tree = _Tree(limits.members)
    total_bytes = 0
    reserved: set[str] = set()
    for member in members:
        total_bytes += member.size_bytes
        top = member.name.partition("/")[0]
        if problem := name_problem(member.name, limits):
            problems.add(problem)
        elif top in RESERVED and top not in reserved:
            reserved.add(top)
            problems.add(_reserved(top))
        elif problem := tree.add(member):
            problems.add(problem)
        if tree.full:
            text = f"there are more than {limits.members:,} files and folders"
            problems.add(Problem("too_many_members", text, "pack many small files into one, such as a .npz"))
            return problems
    if total_bytes > limits.total_bytes:
        text = f"the contents are {show_size(total_bytes)}, more than the {show_size(limits.total_bytes)} allowed"
        problems.add(Problem("too_large", text))
    return problems


def check_ratio(total_bytes: int, archive_bytes: int, limits: ArchiveLimits) -> Problem | None:
    """Hold what a zip claims to contain against its own size."""
    if total_bytes <= limits.ratio_from_bytes or total_bytes <= limits.ratio * archive_bytes:
        return None
    return Problem(
        "ratio",
        f"{show_size(archive_bytes)} of zip would unpack to {show_size(total_bytes)}, more than {limits.ratio} "
        "times as much: that is how zip bombs are built",
        "have main.py make files of repeated bytes instead of packing them",
    )


def name_problem(name: str, limits: ArchiveLimits) -> Problem | None:
    """What is wrong with one member's name by itself, if anything."""
    found = next(_name_faults(name, limits), None)
    return Problem(found[0], found[1], file=shown(name)) if found else None


def _name_faults(name: str, limits: ArchiveLimits) -> Iterator[tuple[str, str]]:
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        yield "not_utf8", "has a name that isn't UTF-8"
        return
    parts = name.split("/")
    if not name.isprintable() and any(unicodedata.category(c) in _LINE_BREAKS for c in name):
        yield "control_character", "has control characters or line breaks in its name"
    if "\\" in name:
        yield "backslash", "has a backslash in its name (some Windows programs write them instead of slashes)"
    if name.startswith("/"):
        yield "absolute", "is an absolute path, not one inside the folder"
    if _DRIVE.match(name):
        yield "drive_letter", "begins with a drive letter"
    if ".." in parts:
        yield "traversal", "leads out of the folder that it is unpacked into"
    if "" in parts or "." in parts:
        yield "not_plain", "has an empty part or a lone dot in its name"
    longest_bytes = max(map(len, encoded.split(b"/")))
    if len(encoded) > limits.name_bytes or longest_bytes > limits.part_bytes:
        allowed = f"{limits.name_bytes:,} are allowed, {limits.part_bytes} between slashes"
        yield "name_too_long", f"has a name of {len(encoded):,} bytes: {allowed}"
    if len(parts) > limits.depth:
        yield "too_deep", f"lies {len(parts):,} folders deep: {limits.depth} are allowed"


def _reserved(top: str) -> Problem:
    hint = f"rename {top}/ in the submission, or leave it out (a line /{top} in .whaledoignore)"
    return Problem("reserved_name", f"is a reserved name: {RESERVED[top]}", hint, file=top)


def kind_problem(name: str, mode: int, size_bytes: int) -> Problem | None:
    """What is wrong with what a member claims to be, if anything.

    Args:
        name: as in the zip; a closing slash makes it a folder.
        mode: the Unix mode that it claims, 0 if none. It is looked at whatever system the zip claims to come
            from, because that claim is free.
        size_bytes: the contents that it claims.
    """
    file = shown(name)
    kind = stat.S_IFMT(mode)
    if name.endswith("/") and size_bytes:
        return Problem("folder_with_contents", "is called a folder but has contents", file=file)
    if not name.endswith("/") and kind == stat.S_IFDIR:
        return Problem("folder_without_slash", "is marked as a folder but not called one", file=file)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        what = SPECIAL_KINDS.get(kind, "neither a file nor a folder")
        return Problem("special_file", f"is {what}; only files and folders are unpacked", file=file)
    # On folders these bits are honest (shared project folders are setgid) and are dropped like all modes.
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX) and not name.endswith("/"):
        return Problem("setuid", "has the setuid, setgid or sticky bit", file=file)
    return None


def coding_problem(name: str, flags: int, method: int) -> Problem | None:
    """What stands against reading a member's contents, if anything."""
    file = shown(name)
    if flags & ENCRYPTED_FLAGS or method == 99:
        return Problem("encrypted", "is encrypted", "pack it without a password", file=file)
    if method not in {STORED, DEFLATED}:
        known = METHODS.get(method, f"method {method}")
        return Problem("compression", f"is compressed with {known}; only deflate is read", file=file)
    return None


def overlap_problems(
    spans: Sequence[tuple[int, int, str]], directory_offset: int, archive: str
) -> Iterator[Problem]:
    """Find members that share bytes of the zip, which is how the densest bombs are built.

    Args:
        spans: for each member the first byte of its header, the first byte after its contents, and its name.
        directory_offset: where the zip's directory begins, which the contents may not reach.
        archive: the zip's name.
    """
    end, before = 0, ""
    for start, stop, name in sorted(spans):
        if start < end:
            yield Problem("overlap", f"shares bytes of the zip with {shown(before)}", file=shown(name))
        if stop > directory_offset:
            yield Problem("overlap", f"reaches beyond the contents of {archive}", file=shown(name))
        if stop > end:
            end, before = stop, name


class _Tree:
    """Every path seen so far, folders on the way included, by what it would be where case doesn't count."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.spelled: dict[str, str] = {}
        self.files: set[str] = set()
        self.keys = {"": ""}

    @property
    def full(self) -> bool:
        return len(self.spelled) > self.most

    def add(self, member: Member) -> Problem | None:
        """Take in a member whose name is fine by itself; returns what sets it against the others, if anything."""
        folder, _, last = (member.name, "", "") if member.is_folder else member.name.rpartition("/")
        if folder not in self.keys:
            ends = [i for i, c in enumerate(folder) if c == "/"]
            for end in [*ends, len(folder)]:
                if problem := self._enter(folder[:end], member):
                    return problem
        return None if member.is_folder else self._put(member, f"{self.keys[folder]}/{_folded(last)}")

    def _enter(self, folder: str, member: Member) -> Problem | None:
        if folder in self.keys:
            return None
        parent, _, last = folder.rpartition("/")
        key = f"{self.keys[parent]}/{_folded(last)}"
        spelled = self.spelled.setdefault(key, folder)
        if key in self.files:
            text = f"needs {shown(folder)} to be a folder, and it is a file"
            return Problem("file_as_folder", text, file=shown(member.name))
        # Entered even where it collides, so that a folder is told of once and not for each of its files.
        self.keys[folder] = key
        return _collision(folder, spelled) if spelled != folder else None

    def _put(self, member: Member, key: str) -> Problem | None:
        spelled = self.spelled.setdefault(key, member.name)
        if spelled != member.name:
            return _collision(member.name, spelled)
        if key in self.files:
            return Problem("duplicate", "is there twice", file=shown(member.name))
        if member.name in self.keys:
            return Problem("file_as_folder", "is there as a file and as a folder", file=shown(member.name))
        self.files.add(key)
        return None


def _collision(name: str, spelled: str) -> Problem:
    text = f"is the same name as {shown(spelled)} wherever case, accents or closing dots don't count"
    return Problem("case_collision", text, "rename one of the two", file=shown(name))


def _folded(part: str) -> str:
    """What a name is where case, accents' encoding and closing dots don't count (macOS, Windows)."""
    caseless = unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())
    return caseless.rstrip(" .") or caseless
