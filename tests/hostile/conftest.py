"""What the attack suite runs in: every engine, a host that holds out what there is to find, and a neighbour."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pyseccomp  # type: ignore[import-untyped]  # it has no stubs
import pytest
from tests.execution.conftest import ordinary_user, run_here, run_main, run_ordinary, secret, worker
from tests.hostile.cases import FOLDER, Case, read_cases

from whaledo.execution.runner import Listener
from whaledo.execution.seccomp.table import ALLOWED, REFUSED

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import Ran, RunMain

__all__ = ["ordinary_user", "run_here", "run_main", "run_ordinary", "secret", "worker"]

NEIGHBOUR = {
    "secret": "neighbour-5d71",
    "files": ["/tmp/neighbour", "/dev/shm/neighbour", "/code_execution/neighbour", "submission/neighbour"],
    "abstract": "whaledo-neighbour",
    "port": 48_611,
    "key": 0x5EA1,
}


def system_call_numbers() -> dict[str, int]:
    """This processor's number of each call that the filter's table names."""
    names = (call for group in (*ALLOWED, *REFUSED) for call in group.calls)
    numbers = {name: pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) for name in names}
    return {name: number for name, number in numbers.items() if number >= 0}


def digest(folder: Path) -> str:
    """One digest of everything in a folder."""
    sums = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        sums.update(f"{path} {path.stat().st_mode} ".encode() + path.read_bytes())
    return sums.hexdigest()


@pytest.fixture(scope="session")
def targets(rooms: Rooms, secret: str) -> Iterator[dict[str, Any]]:
    """What the host holds out; afterwards all of it must be as it was."""
    hidden = rooms.folder / "secret.txt"
    hidden.write_text(secret)
    path = rooms.folder / "host.sock"
    before = digest(rooms.data)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1200)", secret])
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
        pytest.MonkeyPatch.context() as patch,
    ):
        for listener, address in ((abstract, f"\0whaledo-host-{os.getpid()}"), (named, str(path))):
            listener.bind(address)
            listener.listen()
        patch.setenv("API_KEY", secret)
        labels = os.open(rooms.data / "labels.csv", os.O_RDONLY)
        os.set_inheritable(labels, True)
        yield {
            "secret": secret,
            "files": [str(hidden), str(rooms.data / "labels.csv")],
            "folders": ["/root", "/home", str(rooms.folder), str(rooms.home / "runs")],
            "pid": process.pid,
            "port": server.getsockname()[1],
            "addresses": [
                address.address
                for of in psutil.net_if_addrs().values()
                for address in of
                if address.family == socket.AF_INET and not address.address.startswith("127.")
            ],
            "abstract": f"whaledo-host-{os.getpid()}",
            "sockets": [str(path), "/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock"],
            "system calls": system_call_numbers(),
            "neighbour": NEIGHBOUR,
        }
        os.close(labels)
    alive = process.poll() is None
    process.kill()
    process.wait()
    assert alive, "a submission killed a process of the host"
    assert hidden.read_text() == secret, "a submission wrote to a file of the host"
    assert digest(rooms.data) == before, "a submission changed the data"


@dataclass(frozen=True)
class Attacker:
    """Runs cases with one engine, as one user.

    Attributes:
        run_main: what runs them.
        key: the engine and the user, as `cases.ENGINES` calls them.
        targets: what there is to attack.
    """

    run_main: RunMain
    key: str
    targets: Mapping[str, Any]

    def given(self) -> dict[str, bytes]:
        """What lies beside every main.py."""
        return {
            "attack.py": (FOLDER / "attack.py").read_bytes(),
            "targets.json": json.dumps(self.targets).encode(),
        }

    def run(self, case: Case) -> Ran:
        """Run one case by itself, unread: what is attacked are the walls."""
        if (made := case.zip()) is None:
            return self.run_main({**case.files(), **self.given()}, check=False, **case.limits)
        path = Path(self.run_main.rooms.request("").submission).with_name("made.zip")
        path.write_bytes(made)
        return self.run_main("", submission=str(path), check=False, **case.limits)

    def look(self) -> Mapping[str, Any]:
        """Run all cases that only look in one run, while a neighbour's run goes on; what each printed, by name."""
        packed = {"main.py": (FOLDER / "look.py").read_bytes(), **self.given()}
        for case in (case for case in read_cases().values() if case.looks):
            packed |= {f"looks/{case.name}/{name}": content for name, content in case.files().items()}
        ran: list[Ran] = []
        files = {"main.py": (FOLDER / "neighbour.py").read_bytes(), **self.given()}
        rooms, here = self.run_main.rooms, replace(self.run_main, worker=None)
        request = rooms.request({**files}, engine=here.engine, wall_s=60.0, check=False)

        def begin(_: bytes) -> None:
            if not ran:
                ran.append(self.run_main({**packed}, processes=200, check=False))

        said = bytearray()

        def listen(chunk: bytes) -> None:
            said.extend(chunk)
            begin(chunk)

        rooms.run(request, Listener(output=listen, cancelled=lambda: bool(ran)))
        assert ran, rooms.printed(request.output)
        assert ran[0].code == "no_output", (ran[0].verdict, ran[0].log[-2000:])
        assert b"disturbed\n" not in rooms.printed(request.output).replace(b"undisturbed", b"")
        return ran[0].findings


@pytest.fixture(scope="session")
def attacker(run_main: RunMain, targets: dict[str, Any]) -> Attacker:
    """Runs cases with each engine, as each user."""
    who = "us" if run_main.worker is None else "ordinary"
    return Attacker(run_main, f"{run_main.engine}-{who}", targets)


@pytest.fixture(scope="session")
def looked(attacker: Attacker) -> Mapping[str, Any]:
    """What each case that only looks printed, by name."""
    return attacker.look()
