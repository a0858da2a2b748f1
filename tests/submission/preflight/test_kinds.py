"""The table of findings: it is the one that is used, and the one that the document prints."""

from __future__ import annotations

import re
from pathlib import Path

from whaledo.submission.preflight.kinds import KINDS
from whaledo.submission.preflight.reach import MODULE_BYTES, SOURCE_BYTES
from whaledo.units import show_size

REPOSITORY = Path(__file__).resolve().parents[3]
TEXT = (REPOSITORY / "docs" / "preflight.md").read_text("utf-8")


def test_the_document_prints_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (error|warning) \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
    assert rows == [(name, kind.severity.value, kind.meaning, kind.reason) for name, kind in KINDS.items()]


def test_every_kind_is_found_by_some_code() -> None:
    sources = (REPOSITORY / "src" / "whaledo" / "submission" / "preflight").glob("*.py")
    code = "".join(path.read_text("utf-8") for path in sources if path.name != "kinds.py")
    assert [kind for kind in KINDS if f'"{kind}"' not in code] == []


def test_the_document_says_how_much_is_read() -> None:
    assert show_size(MODULE_BYTES).replace(".0 ", " ") in TEXT
    assert show_size(SOURCE_BYTES) in TEXT
