"""Write the tables of docs/isolation.md from the attack suite in tests/hostile/.

Run it after a change to a case; a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the suite isn't part of the package

from tests.hostile.cases import page  # noqa: E402 - needs the line above

DOCS = ROOT / "docs/isolation.md"
START, END = "<!-- made by scripts/make_isolation_table.py -->\n", "<!-- end -->\n"


def document() -> str:
    """The whole of docs/isolation.md, as it should be."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
    return before + START + page() + END + rest.partition(END)[2]


if __name__ == "__main__":
    DOCS.write_text(document(), encoding="utf-8")
    print(f"{DOCS.relative_to(ROOT)}: {len(document()):,} characters")
