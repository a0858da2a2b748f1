"""The list of problems: it is the one that is used, and the one that the docs print."""

from __future__ import annotations

import re
from pathlib import Path

from whaledo.challenge.problems import ERRORS, WARNINGS, counted, listed, nearest, problem, shown
from whaledo.errors import Severity

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_docs_print_the_list() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (REPOSITORY / "docs" / "data.md").read_text(), re.MULTILINE)
    assert [row for row in rows if row[0] in ERRORS] == list(ERRORS.items())
    assert [row for row in rows if row[0] in WARNINGS] == list(WARNINGS.items())


def test_every_kind_of_the_list_is_found_by_some_code() -> None:
    sources = (REPOSITORY / "src" / "whaledo" / "challenge").glob("*.py")
    code = "".join(path.read_text() for path in sources if path.name != "problems.py")
    assert [kind for kind in (*ERRORS, *WARNINGS) if f'"{kind}"' not in code] == []


def test_a_kind_has_its_severity() -> None:
    assert problem("missing_file", "gone").severity is Severity.ERROR
    assert problem("unused_file", "idle").severity is Severity.WARNING


def test_values_are_shown_in_quotes_and_cut() -> None:
    assert shown("a\tb") == r"'a\tb'"
    assert shown("x" * 100) == "'" + "x" * 57 + "…'"
    assert listed("abcd", 3) == "'a', 'b', 'c' and 1 more"
    assert [counted(0, "query", "queries"), counted(1, "query"), counted(2000, "image")] == [
        "0 queries",
        "1 query",
        "2,000 images",
    ]


def test_the_nearest_name_is_the_one_that_was_meant_or_none() -> None:
    assert nearest("query_id", ["Query_ID ", "image"]) == "Query_ID "
    assert nearest("query_image_id", ["query_id", "image"]) is None
