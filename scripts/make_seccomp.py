"""Write the seccomp filters, the profile for Docker and Podman, and the tables of docs/seccomp.md.

Run it after a change to `whaledo.execution.seccomp.table`; it needs pyseccomp and libseccomp.so.2 (any machine will
do for both processors). What it writes is checked in, and a test compares.
"""

from __future__ import annotations

from pathlib import Path

from whaledo.execution.seccomp.filters import ARCHITECTURES, filter_path, profile_path
from whaledo.execution.seccomp.generate import bpf, markdown, oci

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs/seccomp.md"
START, END = "<!-- made by scripts/make_seccomp.py -->\n", "<!-- end -->\n"


def outputs() -> dict[Path, bytes]:
    """Every file that is made from the table, with what belongs in it."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    made = {DOCS: (before + START + markdown() + END + after).encode()}
    for counted in (True, False):
        made[profile_path(counted=counted)] = oci(counted=counted).encode()
        for machine in ARCHITECTURES:
            made[filter_path(machine, counted=counted)] = bpf(machine, counted=counted)
    return made


if __name__ == "__main__":
    for path, content in outputs().items():
        path.write_bytes(content)
        print(f"{path.relative_to(ROOT)}: {len(content):,} bytes")
