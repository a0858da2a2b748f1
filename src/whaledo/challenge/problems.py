"""What can be wrong with a data folder: every kind of problem with its severity, and the words they share.

The table decides what refuses a folder and what is only said; docs/data.md prints the same table. An error is
what would make a run or a score wrong or impossible, a warning what most likely is not meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType

from whaledo.errors import Problem, Severity

ERRORS = MappingProxyType(
    {
        "missing_file": "a file that must be there isn't",
        "unreadable_file": "a file can't be opened, or isn't a plain file",
        "empty_file": "a file holds nothing",
        "other_format": "a file is something else: an Excel workbook, a web page, a Git LFS pointer",
        "undecodable_text": "a line isn't UTF-8 text",
        "nul_byte": "a line holds a NUL byte",
        "broken_quotes": "a quoted value is never closed, or text follows its closing quote",
        "missing_column": "a column that is needed isn't in the first line",
        "repeated_column": "two columns have one name",
        "ragged_row": "a row has more or fewer values than there are columns",
        "empty_value": "an id or a path is empty",
        "blanks_around": "an id or a path begins or ends with a blank",
        "unprintable_character": "an id or a path holds an invisible character",
        "bad_setting": "challenge.toml can't be read, or a value in it can't be used",
        "unknown_setting": "challenge.toml has a key that means nothing",
        "repeated_image_id": "two rows of metadata.csv have one image id",
        "unknown_image_id": "a query or a database names an image that metadata.csv doesn't",
        "repeated_query_id": "two queries, of any scenarios, have one id",
        "repeated_database_id": "an image stands twice in one database",
        "no_scenarios": "there is no scenario at all",
        "missing_database": "a scenario has queries but no database",
        "empty_scenario": "a scenario has no queries, or an empty database",
        "repeated_scenario": "two scenarios have one name, or names that differ in capitals only",
        "unfit_scenario_id": "a scenario's name can't be the name of a file",
        "path_outside": "a path leaves the data folder: it is absolute or has `..`, or a link leads out of it",
        "backslash_path": "a path is written with backslashes",
        "long_path": "a path is longer than file systems allow",
        "image_without_folder": "an image doesn't lie in a folder that is for images only",
        "missing_image_folder": "none of the images of a folder is there",
        "missing_image": "an image of a scenario isn't there",
        "undecodable_image": "an image can't be decoded",
    }
)

WARNINGS = MappingProxyType(
    {
        "blank_line": "an empty line between others; it is skipped",
        "extra_column": "a queries, database or scenarios file has more columns than it needs",
        "setting_without_column": "challenge.toml names a column that metadata.csv doesn't have",
        "database_without_queries": "a database that no queries belong to",
        "unused_file": "a file in `queries/` or `databases/` that no scenario uses",
        "missing_unused_image": "an image that metadata.csv names and no scenario uses isn't there",
        "unnamed_image": "an image that metadata.csv doesn't name",
        "shared_image": "two image ids have one image file",
        "wrong_size": "an image's height or width isn't what metadata.csv says",
        "visible_file": "a file among the images that isn't one: submissions can read it",
        "identity_in_path": "images lie in folders named for the animals: submissions can read the answer",
    }
)

SEVERITIES = {**dict.fromkeys(ERRORS, Severity.ERROR), **dict.fromkeys(WARNINGS, Severity.WARNING)}


def problem(
    code: str, message: str, *, hint: str = "", file: Path | str | None = None, line: int | None = None
) -> Problem:
    """A problem of one of the kinds above, with the severity of its kind."""
    return Problem(code, message, hint, None if file is None else str(file), line, SEVERITIES[code])


def shown(value: str, limit: int = 60) -> str:
    """A value in quotes as a message shows it: blanks and control characters visible, cut where too long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 2]}…{text[0]}"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Names as a message lists them: quoted, with commas, and the number of those left out."""
    quoted = [shown(name) for name in names]
    rest = f" and {len(quoted) - limit:,} more" if len(quoted) > limit else ""
    return ", ".join(quoted[:limit]) + rest


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 image`, `1,061 images`, `2 queries`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of a few names that was most likely meant, if any."""
    # Imported late: of all runs, only those with a misspelt name need it.
    from difflib import get_close_matches

    by_folded = {other.strip().casefold(): other for other in names}
    close = get_close_matches(name.strip().casefold(), by_folded, n=1, cutoff=0.8)
    return by_folded[close[0]] if close else None
