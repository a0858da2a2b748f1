"""What a submission can see, reach and change: nothing of the host, and nothing that isn't its own.

One submission attacks everything at once (`programs/walls.py`), while the host holds out what there is to find.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from whaledo.execution.contract import ENVIRONMENT
from whaledo.execution.engines import BUBBLEWRAP
from whaledo.execution.engines.container_plan import LOG_PIPE, STATUS_PIPE, WIRES
from whaledo.execution.runner import Listener
from whaledo.execution.workspace import RUN_UID

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import RunMain

ABSTRACT = f"whaledo-test-{os.getpid()}"
PROGRAM = Path(__file__).with_name("programs") / "walls.py"
UNREACHABLE = "Network is unreachable"
OF_ITS_OWN_NAMESPACE = {
    "auto_msgmni", "msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced",
    "msg_default", "msg_max", "msgsize_default", "msgsize_max", "queues_max", "pid_max",
}  # fmt: skip
"""Kernel settings of the run's own IPC and PID namespaces, which it may change and nobody else sees."""


@pytest.fixture(scope="session")
def targets(rooms: Rooms, secret: str) -> Iterator[dict[str, Any]]:
    """What the host holds out: servers, sockets, files, a process that knows a secret."""
    files = [
        rooms.folder / "secret.txt",
        rooms.data / "labels.csv",
        Path("/etc/shadow"),
        Path("/etc/machine-id"),
    ]
    files[0].write_text(secret)
    path = rooms.folder / "host.sock"
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", secret])
    with (
        socket.create_server(("0.0.0.0", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
    ):
        for listener, address in ((abstract, f"\0{ABSTRACT}"), (named, str(path))):
            listener.bind(address)
            listener.listen()
        addresses = [
            a.address for of in psutil.net_if_addrs().values() for a in of if a.family == socket.AF_INET
        ]
        yield {
            "secret": secret,
            "files": [str(file) for file in files],
            "folders": ["/root", "/home", "/run", "/var", str(rooms.folder), str(rooms.home / "runs")],
            "pid": process.pid,
            "port": server.getsockname()[1],
            "addresses": addresses,
            "abstract": ABSTRACT,
            "sockets": [str(path), "/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket"],
        }
    alive = process.poll() is None
    process.kill()
    process.wait()
    assert alive, "a submission killed a process of the host"


@pytest.fixture(scope="module")
def found(run_main: RunMain, targets: dict[str, Any], rooms: Rooms) -> dict[str, Any]:
    """What the attacks found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_KEY", targets["secret"])
        labels = os.open(rooms.data / "labels.csv", os.O_RDONLY)
        os.set_inheritable(labels, True)
        ran = run_main({"main.py": PROGRAM.read_text(), "targets.json": json.dumps(targets)})
        os.close(labels)
    assert ran.code == "no_output", ran.verdict
    return {**ran.findings, "engine": run_main.engine}


Found = dict[str, Any]


def test_the_environment_is_the_contracts(found: Found) -> None:
    assert found["environment"] == ENVIRONMENT


def test_no_process_of_the_host_is_in_sight(found: Found) -> None:
    assert len(found["processes"]) == 2
    assert found["processes"][0] == 1
    assert found["secret seen"] is False
    assert found["signal a process of the host"] == "No such process"
    assert found["signal all"] == "No such process"


def test_no_file_of_the_host_is_in_sight(found: Found) -> None:
    missing = "No such file or directory"
    out_of_sight = {missing, "Permission denied"}  # an image has an /etc/shadow and a /root of its own
    assert set(found["host files"].values()) <= out_of_sight
    assert found["root folder of the first process"] in (found["root folder"], "Permission denied")
    assert found["accounts"] == ["root", "runner"]
    if found["engine"] == BUBBLEWRAP:
        assert set(found["host files"].values()) == set(found["host folders"].values()) == {missing}
        system = {"bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"}
        assert set(found["root folder"]) - system == {"code_execution", "dev", "etc", "opt", "proc", "tmp"}
        ours = {"passwd", "group", "hosts", "nsswitch.conf"}
        assert set(found["etc"]) - {"alternatives", "ld.so.cache"} == ours


def test_only_the_usual_devices_are_there(found: Found) -> None:
    harmless = {"fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout"}
    assert set(found["devices"]) - {"core", "mqueue"} == harmless | {"tty", "urandom", "zero"}
    assert found["device"] == "Operation not permitted"


def test_the_data_is_the_public_view(found: Found) -> None:
    folders = ["data/databases", "data/images", "data/queries"]
    files = ["data/databases/one.txt", "data/metadata.csv", "data/queries/one.csv"]
    assert found["data"] == sorted([*folders, *files, *(f"data/images/{name}.jpg" for name in "abc")])
    assert found["metadata"] == "image_id,path,height,width,viewpoint,date"
    assert found["submission"] == []


def test_nothing_that_was_open_on_the_host_is_open(found: Found) -> None:
    assert found["stdin"] == "/dev/null"
    assert set(found["open"]) <= {
        "/dev/null",
        "pipe",
        f"{WIRES}/{LOG_PIPE}",
        "No such file or directory",
    }  # the last is the listing itself
    # The first process is the engine's. Bubblewrap's input may be a socket whose other end is closed by now.
    harmless = {"/dev/null", "pipe", "anon_inode", "socket", f"{WIRES}/{STATUS_PIPE}", f"{WIRES}/{LOG_PIPE}"}
    assert set(found["open in the first process"]) <= harmless
    assert found["its input"] in ("", "No such device or address")
    assert found["its descriptors"] == "Operation not permitted"


def test_it_is_an_ordinary_user_for_good(found: Found) -> None:
    uids, gids, groups, home, host = found["user"]
    assert (home, host) == ("/code_execution", "whaledo")
    assert {*groups} <= {*gids, 65534}  # the last: groups of an ordinary user, who can't drop them
    assert len({*uids}) == len({*gids}) == 1
    assert 0 not in {*uids, *gids}
    assert found["capabilities"] == ["0000000000000000"]
    assert found["no new privileges"] == "1"
    assert found["core size"] == [0, 0]
    refused = ["become root", "nested user namespace", "mount", "remount data", "trace the first process"]
    refused += ["session keyring", "kernel log", "setuid file", "typing into a terminal"]
    assert {found[name] for name in refused} <= {"Operation not permitted", "Invalid argument"}
    assert found["setuid program"] == ""


def test_there_is_no_terminal(found: Found) -> None:
    assert found["terminal"] == "No such device or address"


def test_it_writes_only_where_the_contract_lets_it(found: Found) -> None:
    assert found["written"] == ["/tmp/x", "/dev/shm/x", "x", "main.py", "submission/x"]
    assert set(found["kernel settings"]) <= OF_ITS_OWN_NAMESPACE
    assert found["remove an image"] == "Read-only file system"
    assert found["move the data"] == "Device or resource busy"
    assert found["hard link to the data"] == "Invalid cross-device link"


def test_nothing_of_the_network_is_reached(found: Found) -> None:
    assert found["interfaces"] == ["lo"]
    assert found["server on the host"].pop("127.0.0.1") == "Connection refused"
    assert set(found["server on the host"].values()) <= {UNREACHABLE}
    assert found["abstract socket"] == "Connection refused"
    assert set(found["sockets"].values()) == {"No such file or directory"}
    assert {found["IPv4"], found["IPv6"], found["datagram"]} == {UNREACHABLE}
    assert found["name"] == "gaierror"
    assert found["shared memory of System V"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts runs as another user")
def test_started_by_root_it_is_an_unprivileged_user_on_the_host(rooms: Rooms) -> None:
    users: set[tuple[int, ...]] = set()

    def look(_: bytes) -> None:
        below = psutil.Process().children(recursive=True)
        programs = [process for process in below if "main.py" in process.cmdline()]
        users.update({(*process.uids(), *process.gids()) for process in programs})

    rooms.run(rooms.request("print('here', flush=True)\nimport time\ntime.sleep(0.3)"), Listener(output=look))
    assert users == {(RUN_UID,) * 6}
