from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.challenge.build.dates import DateOrder, When, read_dates
from whaledo.errors import Problems


def read(*texts: str, order: DateOrder | None = None) -> tuple[list[str], Problems]:
    problems = Problems()
    dates = read_dates(list(enumerate(texts, 2)), order, Path("t.csv"), problems)
    return [str(when) if when else "" for when in dates], problems


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2019-08-29", "2019-08-29"),
        ("2019-08-29 13:50:31", "2019-08-29"),
        ("2019-08-29T13:50:31+02:00", "2019-08-29"),
        ("2019:08:29 13:50:31", "2019-08-29"),
        ("2019/8/9", "2019-08-09"),
        ("20190829", "2019-08-29"),
        ("29/08/2019", "2019-08-29"),
        ("8/29/2019 1:50", "2019-08-29"),
        ("03.04.2019", "2019-04-03"),
        ("04/04/2019", "2019-04-04"),
        ("29 Aug 2019", "2019-08-29"),
        ("August 29, 2019", "2019-08-29"),
        ("2019-08", "2019-08"),
        ("2019", "2019"),
        ("2019.0", "2019"),
        ("", ""),
        ("NaN", ""),
        ("NaT", ""),
        ("unknown", ""),
    ],
)
def test_dates_are_read_in_the_forms_that_tables_have(text: str, meant: str) -> None:
    dates, problems = read(text)
    assert (dates, problems.errors) == ([meant], 0)


@pytest.mark.parametrize("text", ["29.02.2019", "2019-13-01", "2019-00-10", "31/04/2019", "2019-06-00"])
def test_days_that_the_calendar_doesnt_have_are_refused(text: str) -> None:
    (problem,) = read(text)[1]
    assert (problem.code, problem.place) == ("unreadable_date", "t.csv:2")
    assert "isn't a day of the calendar" in problem.message


@pytest.mark.parametrize("text", ["yesterday", "1/2/19", "1566999031", "43706", "29 Août 2019", "0019-01-01"])
def test_what_isnt_a_date_is_refused_with_the_forms_that_are(text: str) -> None:
    (problem,) = read(text)[1]
    assert repr(text) in problem.message
    assert "2019-08-29" in problem.hint


def test_a_date_with_two_meanings_is_refused_with_the_option_that_settles_it() -> None:
    dates, problems = read("03/04/2019", "2019-04-03", "05/06/2019")
    assert dates == ["", "2019-04-03", ""]
    assert [(problem.code, problem.line) for problem in problems] == [
        ("ambiguous_date", 2),
        ("ambiguous_date", 4),
    ]
    first = next(iter(problems))
    assert "2019-04-03 or 2019-03-04" in first.message
    assert "--date-order dmy" in first.hint
    assert read("03/04/2019", order=DateOrder.DMY)[0] == ["2019-04-03"]
    assert read("03/04/2019", order=DateOrder.MDY)[0] == ["2019-03-04"]


def test_another_row_of_the_column_settles_what_comes_first() -> None:
    assert read("03/04/2019", "25/04/2019")[0] == ["2019-04-03", "2019-04-25"]
    assert read("03/04/2019", "04/25/2019")[0] == ["2019-03-04", "2019-04-25"]


def test_rows_that_contradict_each_other_settle_nothing() -> None:
    _, problems = read("25/04/2019", "04/25/2019", "03/04/2019")
    assert [problem.line for problem in problems] == [4]


def test_a_date_against_the_stated_order_is_refused() -> None:
    assert read("25/04/2019", order=DateOrder.MDY)[1].errors == 1


@given(
    st.dates(date(1800, 1, 1), date(2200, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%Y%m%d"]),
)
def test_whatever_is_written_is_read_back(day: date, form: str) -> None:
    written = day.strftime(form) if day.year >= 1000 else day.isoformat()
    assert read(written)[0] == [day.isoformat()]


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    read(text)


def test_a_season_is_named_for_the_year_in_which_it_starts() -> None:
    assert [When(2019, month).season(10) for month in (9, 10, 12)] == [2018, 2019, 2019]
    assert (When(2019).season(1), When(2019).season(10)) == (2019, None)
