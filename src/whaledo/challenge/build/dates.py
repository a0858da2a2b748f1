"""Read the dates of a column, whichever of the usual ways they are written in.

Everything is as exact as it was written: a year alone stays a year. What can be read in two ways (03/04/2019) is
never guessed from one value: the other rows of the column settle it, or the person does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from whaledo.challenge.problems import shown
from whaledo.errors import Problem, Problems

UNDATED = frozenset({"", "na", "n/a", "nan", "nat", "none", "null", "unknown", "-"})
"""How tables say, in lower case, that a date isn't known."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

FORMATS = "write 2019-08-29, 29/08/2019, 29 Aug 2019, 2019-08 or 2019"

_TIME = r"(?:(?:T|,? +)\d{1,2}:\d{2}.*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.:])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONTH_ONLY = re.compile(r"(\d{4})[-/](\d{1,2})")
_YEAR_ONLY = re.compile(r"(\d{4})(?:\.0)?")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_TIME}")
_NAMED = re.compile(rf"(\d{{1,2}})[ .-]+([A-Za-z]{{3,9}})[ .,-]+(\d{{4}}){_TIME}")
_NAMED_FIRST = re.compile(rf"([A-Za-z]{{3,9}})[ .]+(\d{{1,2}}),? +(\d{{4}}){_TIME}")


class DateOrder(StrEnum):
    """What comes first in a date such as 03/04/2019."""

    DMY = "dmy"
    """The day: 3 April."""
    MDY = "mdy"
    """The month: 4 March."""


@dataclass(frozen=True, slots=True, order=True)
class When:
    """A date, as exact as it is known; what isn't known is 0."""

    year: int
    month: int = 0
    day: int = 0

    def __str__(self) -> str:
        parts = [f"{self.year:04d}", *(f"{part:02d}" for part in (self.month, self.day) if part)]
        return "-".join(parts)

    def season(self, starts_in: int) -> int | None:
        """The year in which its season of 12 months began; None where the month would tell and isn't known.

        Args:
            starts_in: the month, from 1, in which seasons start.
        """
        if starts_in == 1:
            return self.year
        return None if not self.month else self.year - (self.month < starts_in)


def read_dates(
    values: Sequence[tuple[int, str]], order: DateOrder | None, file: Path, problems: Problems
) -> list[When | None]:
    """Read a column.

    Args:
        values: the line and the text of each row.
        order: how dates like 03/04/2019 are meant; None: as the other rows of the column show.
        file: named in problems.
        problems: where to add the rows that can't be read.

    Returns:
        The date of each row; None where the table doesn't know it, or it can't be read.
    """
    order = order or _settled(values)
    dates: list[When | None] = []
    for line, text in values:
        try:
            dates.append(_when(text, order))
        except _Ambiguous as both:
            said = f"the date {shown(text)} can be {both}, and no other date of the column settles it"
            hint = "say which: --date-order dmy (the day first) or --date-order mdy (the month first)"
            problems.add(Problem("ambiguous_date", said, hint, str(file), line))
            dates.append(None)
        except ValueError as error:
            problems.add(
                Problem("unreadable_date", f"the date {shown(text)} {error}", FORMATS, str(file), line)
            )
            dates.append(None)
    return dates


class _Ambiguous(Exception):
    """A date that can be read in two ways."""


def _settled(values: Sequence[tuple[int, str]]) -> DateOrder | None:
    """The order that some date of the column forces; None where none does, or two force different ones."""
    forced = set()
    for text in {text.strip() for _, text in values}:
        if (match := _YEAR_LAST.fullmatch(text)) and match[2] != ".":
            first, second = int(match[1]), int(match[3])
            if first > 12 >= second:
                forced.add(DateOrder.DMY)
            elif second > 12 >= first:
                forced.add(DateOrder.MDY)
    return forced.pop() if len(forced) == 1 else None


@cache
def _when(text: str, order: DateOrder | None) -> When | None:
    """Read one date; dots (29.08.2019) are only ever written with the day first."""
    text = text.strip()
    if text.lower() in UNDATED:
        return None
    if match := _YEAR_FIRST.fullmatch(text):
        return _checked(match[1], match[3], match[4])
    if match := _COMPACT.fullmatch(text):
        return _checked(*match.groups())
    if match := _MONTH_ONLY.fullmatch(text):
        return _checked(match[1], match[2])
    if match := _YEAR_ONLY.fullmatch(text):
        return _checked(match[1])
    if match := _NAMED.fullmatch(text):
        return _checked(match[3], _month(match[2]), match[1])
    if match := _NAMED_FIRST.fullmatch(text):
        return _checked(match[3], _month(match[1]), match[2])
    if match := _YEAR_LAST.fullmatch(text):
        return _year_last(match[4], match[1], match[3], DateOrder.DMY if match[2] == "." else order)
    raise ValueError("isn't in a form that is known")


def _year_last(year: str, first: str, second: str, order: DateOrder | None) -> When:
    if order is None and int(first) != int(second) and max(int(first), int(second)) <= 12:
        raise _Ambiguous(
            f"{year}-{int(second):02d}-{int(first):02d} or {year}-{int(first):02d}-{int(second):02d}"
        )
    if order is None:
        order = DateOrder.DMY if int(second) <= 12 else DateOrder.MDY
    day, month = (first, second) if order is DateOrder.DMY else (second, first)
    return _checked(year, month, day)


def _month(name: str) -> str:
    if name[:3].lower() not in MONTHS:
        raise ValueError(f"has no English month: {shown(name)}")
    return str(MONTHS.index(name[:3].lower()) + 1)


def _checked(year: str, month: str = "0", day: str = "0") -> When:
    when = When(int(year), int(month), int(day))
    if not 1800 <= when.year <= 2200:
        raise ValueError("isn't of our time: years from 1800 to 2200 are read")
    try:
        date(when.year, when.month or 1, when.day or 1)
    except ValueError:
        raise ValueError("isn't a day of the calendar") from None
    if month != "0" and not when.month:
        raise ValueError("isn't a day of the calendar")
    if day != "0" and not when.day:
        raise ValueError("isn't a day of the calendar")
    return when
