"""Text by others becomes harmless, and stays legible."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from whaledo.report.text import embedded, log_tail, short, visible

ANY = st.text(st.characters(exclude_categories=()))


@given(ANY)
def test_what_is_shown_is_printable_and_short(text: str) -> None:
    assert visible(text).isprintable()
    assert short(text).isprintable()
    assert len(short(text)) <= 10 * 121


@given(st.dictionaries(ANY, ANY))
def test_json_in_a_page_has_no_markup_and_reads_back(document: dict[str, str]) -> None:
    text = embedded(document)
    assert text.isascii()
    assert not set(text) & set("<>&")
    assert json.loads(text) == document


@given(st.binary())
def test_the_end_of_any_log_is_printable(raw: bytes) -> None:
    assert all(line.isprintable() for line in log_tail(raw))


def test_of_a_line_that_was_written_over_the_last_state_is_kept() -> None:
    assert log_tail(b"one\r\n 10%\r 90%\r\ntwo\r100%\r", lines=3) == ["one", " 90%", "100%"]
    assert log_tail(b"a\nb\nc\n", lines=2) == ["b", "c"]
    assert log_tail(b"abcdef", width=3) == ["abc…"]
