"""Taking submission.csv out of a folder that hostile code could write to."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whaledo.errors import MachineError
from whaledo.execution import collect
from whaledo.execution.collect import Collected, HostileOutput, NoOutput, collect_csv


class Folder:
    """The folder of a run that is over, and where its csv goes to."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "submission"
        self.path.mkdir()
        (tmp_path / "out").mkdir()
        self.csv, self.result = self.path / "submission.csv", tmp_path / "out" / "submission.csv"
        self.fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)

    def collect(self) -> Collected:
        return collect_csv(self.fd, self.result)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """An empty one."""
    made = Folder(tmp_path)
    yield made
    os.close(made.fd)


def test_a_plain_file_is_copied_with_its_digest(folder: Folder) -> None:
    content = os.urandom(3 * 1024**2 + 7)
    folder.csv.write_bytes(content)
    assert folder.collect() == Collected(len(content), hashlib.sha256(content).hexdigest())
    assert folder.result.read_bytes() == content
    assert folder.result.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in folder.result.parent.iterdir()] == ["submission.csv"]


def test_an_empty_file_is_a_file(folder: Folder) -> None:
    folder.csv.touch()
    assert folder.collect().size_bytes == 0


def bind_socket(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


def sparse_giant(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 42)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to a file": (lambda path: path.symlink_to("/etc/passwd"), "it is a symbolic link"),
    "link to a folder": (lambda path: path.symlink_to("/etc"), "it is a symbolic link"),
    "dead link": (lambda path: path.symlink_to("nowhere"), "it is a symbolic link"),
    "link to itself": (lambda path: path.symlink_to(path.name), "it is a symbolic link"),
    "FIFO": (os.mkfifo, "it is a FIFO"),
    "socket": (bind_socket, "it is a socket"),
    "folder": (Path.mkdir, "it is a folder"),
    "closed": (lambda path: path.touch(0o000), r"can't be read \(mode 0000\)"),
    "write-only": (lambda path: path.touch(0o200), r"can't be read \(mode 0200\)"),
    "sparse giant": (sparse_giant, "more than 64.0 MiB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_isnt_a_plain_readable_file_of_a_sensible_size_is_refused(name: str, folder: Folder) -> None:
    make, says = HOSTILE[name]
    make(folder.csv)
    with pytest.raises(HostileOutput, match=says):
        folder.collect()
    assert list(folder.result.parent.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_a_device_is_refused_and_not_opened(folder: Folder) -> None:
    os.mknod(folder.csv, 0o020666, os.makedev(1, 5))
    with pytest.raises(HostileOutput, match="it is a device"):
        folder.collect()


def test_the_largest_file_that_is_allowed_is_fetched(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "CSV_BYTES", 1000)
    folder.csv.write_bytes(b"x" * 1000)
    assert folder.collect().size_bytes == 1000
    folder.csv.write_bytes(b"x" * 1001)
    with pytest.raises(HostileOutput, match="more than"):
        folder.collect()


def test_a_file_that_grows_without_end_while_it_is_read_is_given_up(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "CSV_BYTES", 5 * 1024**2)
    monkeypatch.setattr(collect, "_open_regular", lambda _: os.open("/dev/zero", os.O_RDONLY))
    with pytest.raises(HostileOutput, match=r"it grew past 5\.0 MiB"):
        folder.collect()
    assert list(folder.result.parent.iterdir()) == []


def test_nothing_there_names_what_is(folder: Folder) -> None:
    with pytest.raises(NoOutput, match="is empty"):
        folder.collect()
    for name in ("Submission.csv", "b\nc", *"defg"):
        (folder.path / name).touch()
    with pytest.raises(NoOutput, match=r"holds 'Submission.csv', 'b\\nc', 'd', 'e', 'f' …"):
        folder.collect()


def test_a_name_that_isnt_text_can_be_named(folder: Folder) -> None:
    Path(os.fsdecode(os.fsencode(folder.path) + b"/\xff\x1b[31m")).touch()
    with pytest.raises(NoOutput) as caught:
        folder.collect()
    assert str(caught.value).isprintable()


def test_a_half_copy_of_a_killed_run_is_replaced_and_a_full_disk_leaves_none(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = folder.result.with_name(".submission.csv.part")
    part.write_text("half a")
    folder.csv.write_text("whole")
    folder.collect()
    assert folder.result.read_text() == "whole"
    assert not part.exists()

    def full(*_: object) -> Collected:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(collect, "_copy", full)
    with pytest.raises(MachineError, match="No space left"):
        folder.collect()
    assert folder.result.read_text() == "whole"
    assert not part.exists()


def test_a_place_that_cant_be_written_is_our_failure(folder: Folder) -> None:
    folder.csv.write_text("csv")
    folder.result.with_name(".submission.csv.part").mkdir()
    with pytest.raises(MachineError, match="can't be written"):
        folder.collect()
