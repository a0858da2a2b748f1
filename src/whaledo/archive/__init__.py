"""Opening a zip that nobody trusts, and the rules that a zip made here keeps so that it can be opened.

Look at it (`inspect_archive`), then unpack it into an empty folder (`extract_archive`). The standard library's
`zipfile` is not used for this: it forgives what must be refused (it rewrites names, lets the second of two
files win, stops reading at the size that a member claims) and reads a directory of any size into memory.
"""

from whaledo.archive.extraction import extract_archive
from whaledo.archive.inspection import inspect_archive, sha256_of
from whaledo.archive.listing import ArchiveLimits, ArchiveListing, Member, shown
from whaledo.archive.main_file import MainSearch, find_main
from whaledo.archive.rules import check_members

__all__ = [
    "ArchiveLimits",
    "ArchiveListing",
    "MainSearch",
    "Member",
    "check_members",
    "extract_archive",
    "find_main",
    "inspect_archive",
    "sha256_of",
    "shown",
]
