"""Write what `whaledo doctor` says of this host into docs/isolation.md: as root and, beside it, as an ordinary user.

Run it as root, on a quiet machine that has every engine; the date and the kernel stand in what is written.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from whaledo.resources import HOME_VARIABLE, state_folder

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs/isolation.md"
START, END = (
    "<!-- said by whaledo doctor, see scripts/make_doctor_report.py -->\n",
    "<!-- end of what was said -->\n",
)
ORDINARY_UID = 60_951
"""The user of the tests, where `.ci/run` has made one, with a Podman of its own; else, a number that nobody has."""

DOCKER_SOCKET = Path("/var/run/docker.sock")


def ask(become: list[str], variables: Mapping[str, str]) -> str:
    """What the doctor says to somebody."""
    words = [*become, sys.executable, "-m", "whaledo", "doctor"]
    said = subprocess.run(words, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    if not said.stdout:
        sys.exit(said.stderr)
    return re.sub(r"^Attacking .*\n", "", said.stdout, flags=re.MULTILINE)


def as_ordinary_user() -> str:
    """What it says to one, who may talk to Docker and has the same environments."""
    group = DOCKER_SOCKET.stat().st_gid if DOCKER_SOCKET.exists() else ORDINARY_UID
    numbers = [f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", f"--groups={group}"]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:
        home = Path(temporary)
        (home / "environments").symlink_to(state_folder() / "environments")
        os.chown(home, ORDINARY_UID, ORDINARY_UID)
        own = temporary
        with suppress(KeyError):
            own = pwd.getpwuid(ORDINARY_UID).pw_dir
        return ask(["setpriv", *numbers], {HOME_VARIABLE: temporary, "HOME": own})


def document(said: Mapping[str, str]) -> str:
    """The whole of docs/isolation.md with this in it."""
    before, _, rest = DOCS.read_text("utf-8").partition(START)
    parts = [f"### {who}\n\n```\n{text.strip()}\n```\n" for who, text in said.items()]
    return before + START + "\n" + "\n".join(parts) + END + rest.partition(END)[2]


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("only root can ask as root and as an ordinary user: sudo")
    DOCS.write_text(
        document({"As root": ask([], {}), "As an ordinary user": as_ordinary_user()}), encoding="utf-8"
    )
    print(f"{DOCS.relative_to(ROOT)}: written")
