"""From a folder to a zip: what goes in, what is refused, and that nothing is lost or left behind."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from whaledo.archive import ArchiveLimits, extract_archive, sha256_of
from whaledo.errors import BadSubmission, MachineError, UsageError
from whaledo.submission import pack as pack_module
from whaledo.submission.pack import Packed, pack


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A submission of a few files."""
    made = tmp_path / "mymodel"
    write(made, {"main.py": b"print('hello')\n" * 20, "lib/a.py": b"", "w.bin": bytes(range(256)) * 8})
    return made


@pytest.fixture
def zip_path(tmp_path: Path) -> Path:
    return tmp_path / "submission" / "submission.zip"


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def refusals(source: Path, zip_path: Path, *, allow: Sequence[str] = ()) -> dict[str, str]:
    """What can't be packed, as code by name; the zip isn't there afterwards."""
    with pytest.raises(BadSubmission) as error:
        pack(source, zip_path, allow=allow)
    assert not zip_path.parent.exists() or not list(zip_path.parent.iterdir())
    return {problem.file or "": problem.code for problem in error.value.problems}


def names(packed: Packed) -> list[str]:
    return [file.name for file in packed.files]


def test_what_was_packed_is_what_is_unpacked(source: Path, zip_path: Path, tmp_path: Path) -> None:
    (source / "empty").mkdir()
    packed = pack(source, zip_path)
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    extract_archive(zip_path, out)
    assert {p.relative_to(out): p.is_dir() or p.read_bytes() for p in out.rglob("*")} == {
        p.relative_to(source): p.is_dir() or p.read_bytes() for p in source.rglob("*")
    }
    assert names(packed) == ["lib/a.py", "main.py", "w.bin"]
    assert packed.total_bytes == sum(file.size_bytes for file in packed.files)
    assert (packed.sha256, packed.size_bytes) == (sha256_of(zip_path), zip_path.stat().st_size)


def test_the_bytes_depend_on_nothing_but_names_and_contents(source: Path, tmp_path: Path) -> None:
    first = pack(source, tmp_path / "1.zip")
    again = tmp_path / "elsewhere" / "copy"
    again.mkdir(parents=True)
    for path in sorted(source.rglob("*"), reverse=True):
        copy = again / path.relative_to(source)
        if path.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o600 if copy.name == "w.bin" else 0o777)
            os.utime(copy, (1, 1))
    (again / "__pycache__").mkdir()
    assert pack(again, tmp_path / "2.zip").sha256 == first.sha256


def test_files_that_begin_like_programs_can_be_started(source: Path, zip_path: Path) -> None:
    write(source, {"tool.sh": b"#!/bin/sh\n", "tool": b"\x7fELF...", "notes.txt": b"no"})
    (source / "notes.txt").chmod(0o777)
    pack(source, zip_path)
    with zipfile.ZipFile(zip_path) as archive:
        modes = {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in archive.infolist()}
    assert {name for name, mode in modes.items() if mode == 0o755} == {"tool.sh", "tool"}
    assert {name for name, mode in modes.items() if mode == 0o644} >= {"notes.txt", "main.py"}


def test_what_no_run_needs_is_left_out_with_its_reason(source: Path, zip_path: Path) -> None:
    left_out = {
        "__pycache__/": "cache",
        "lib/__pycache__/": "cache",
        "lib/.ipynb_checkpoints/": "cache",
        ".git/": "version control",
        "lib/.git": "version control",
        ".vscode/": "editor",
        "main.py~": "editor",
        ".main.py.swp": "editor",
        "#main.py#": "editor",
        "lib/.DS_Store": "operating system",
        "Thumbs.db": "operating system",
        "__MACOSX": "operating system",
        "venv/": "virtual environment",
        ".env/": "virtual environment",
        "conda/": "conda environment",
    }
    for name in left_out:
        write(source, {f"{name}x" if name.endswith("/") else name: b""})
    write(source, {"venv/pyvenv.cfg": b"", ".env/pyvenv.cfg": b"", "conda/conda-meta/history": b""})
    packed = pack(source, zip_path)
    assert {left.name: left.reason for left in packed.left_out} == left_out
    assert names(packed) == ["lib/a.py", "main.py", "w.bin"]


def test_weights_in_a_cache_folder_go_in(source: Path, zip_path: Path) -> None:
    write(source, {".cache/huggingface/hub/model.bin": b"x"})
    assert ".cache/huggingface/hub/model.bin" in names(pack(source, zip_path))


def test_a_whaledoignore_adds_to_what_is_left_out_and_brings_back(source: Path, zip_path: Path) -> None:
    write(source, {"old/w.bin": b"", "keep.log": b"", "a.log": b"", ".vscode/x": b""})
    write(source, {".whaledoignore": b"# old weights\n\n/old/\n*.log\r\n!keep.log\n!.vscode/\n"})
    packed = pack(source, zip_path)
    assert {left.name: left.reason for left in packed.left_out} == {
        "old/": ".whaledoignore:3",
        "a.log": ".whaledoignore:4",
        ".whaledoignore": "only for packing",
    }
    assert {"keep.log", ".vscode/x"} <= set(names(packed))


def test_a_whaledoignore_with_broken_lines_is_refused_with_all_of_them(source: Path, zip_path: Path) -> None:
    write(source, {".whaledoignore": b"ok\n!\n[z-a]\n"})
    with pytest.raises(BadSubmission) as error:
        pack(source, zip_path)
    assert [problem.line for problem in error.value.problems] == [2, 3]
    write(source, {".whaledoignore": b"\xff\xfe"})
    with pytest.raises(BadSubmission, match="can't be read"):
        pack(source, zip_path)


def test_a_main_py_that_is_ignored_is_told_by_whom(source: Path, zip_path: Path) -> None:
    write(source, {".whaledoignore": b"*.py\n"})
    with pytest.raises(BadSubmission) as error:
        pack(source, zip_path)
    assert [problem.message for problem in error.value.problems] == [
        "main.py is left out by .whaledoignore:1"
    ]


def test_main_py_one_folder_down_is_pointed_at(source: Path, zip_path: Path) -> None:
    with pytest.raises(BadSubmission) as error:
        pack(source.parent, zip_path)
    assert [problem.code for problem in error.value.problems] == ["no_main"]
    assert f"whaledo pack {source}" in str(next(iter(error.value.problems)))


def test_likely_secrets_are_refused_all_at_once_and_let_in_by_name(source: Path, zip_path: Path) -> None:
    write(source, {".env": b"A=1", "conf/id_rsa": b"x", "lib/cert.pem": b"x"})
    secret = {".env": "secret", "conf/id_rsa": "secret", "lib/cert.pem": "secret"}
    assert refusals(source, zip_path) == secret
    assert refusals(source, zip_path, allow=[".env", "id_rsa"]) == {"lib/cert.pem": "secret"}
    packed = pack(source, zip_path, allow=[".env", "conf/id_rsa", "lib/cert.pem"])
    assert ".env" in names(packed)


def test_a_secret_behind_a_link_is_found(source: Path, zip_path: Path) -> None:
    write(source, {".netrc": b"x"})
    (source / "settings.txt").symlink_to(".netrc")
    assert refusals(source, zip_path, allow=["settings.txt"]).keys() == {".netrc", "settings.txt"}


def test_a_secret_that_is_left_out_is_no_problem(source: Path, zip_path: Path) -> None:
    write(source, {".env": b"A=1", ".whaledoignore": b".env\n"})
    assert ".env" not in names(pack(source, zip_path))


def test_a_link_to_a_file_in_the_folder_stands_for_the_file(source: Path, zip_path: Path) -> None:
    (source / "lib" / "weights").symlink_to("../w.bin")
    pack(source, zip_path)
    with zipfile.ZipFile(zip_path) as archive:
        assert archive.read("lib/weights") == (source / "w.bin").read_bytes()
        assert stat.S_ISREG(archive.getinfo("lib/weights").external_attr >> 16)


def test_what_is_no_file_of_the_folder_is_refused_all_at_once(source: Path, zip_path: Path) -> None:
    (source / "passwd").symlink_to("/etc/passwd")
    (source / "up").symlink_to("..")
    (source / "gone").symlink_to("nothing")
    (source / "round").symlink_to("round")
    (source / "circle").symlink_to(".")
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(source / "sock"))
        found = refusals(source, zip_path)
    assert found == {
        "passwd": "link_outside",
        "up": "link_outside",
        "gone": "broken_link",
        "round": "broken_link",
        "circle": "link_to_folder",
        "pipe": "special_file",
        "sock": "special_file",
    }


def test_a_folder_reached_by_a_link_is_packed(source: Path, zip_path: Path) -> None:
    link = source.parent / "link"
    link.symlink_to(source)
    assert names(pack(link, zip_path)) == ["lib/a.py", "main.py", "w.bin"]


def test_what_could_not_be_opened_again_is_refused_before_it_is_packed(source: Path, zip_path: Path) -> None:
    write(
        source, {"data/a.jpg": b"", "submission/submission.csv": b"", "W.bin": b"", "a\nb": b"", "c\\d": b""}
    )
    os.close(os.open(os.fsencode(source) + b"/mod\xe8le.pt", os.O_CREAT | os.O_WRONLY))
    found = refusals(source, zip_path)
    assert found == {
        "data": "reserved_name",
        "submission": "reserved_name",
        "w.bin": "case_collision",
        "a\\nb": "control_character",
        "c\\d": "backslash",
        "mod\\udce8le.pt": "not_utf8",
    }


def test_a_bomb_is_not_made(source: Path, zip_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(source, {"zeros": bytes(20 << 20)})
    limits = ArchiveLimits(ratio_from_bytes=10 << 20)
    monkeypatch.setattr("whaledo.archive.inspection.ArchiveLimits", lambda: limits)
    assert set(refusals(source, zip_path).values()) == {"ratio"}


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A folder of a user who isn't root, and the tests run as that user."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    if os.geteuid() != 0:
        yield folder
    else:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)
    shutil.rmtree(folder)


def test_unreadable_files_and_folders_are_told_all_at_once(ordinary_user: Path) -> None:
    source = ordinary_user / "mymodel"
    write(source, {"main.py": b"", "w.bin": b"x", "closed/a": b"", "listed/b": b""})
    for name, mode in {"w.bin": 0, "closed": 0, "listed": 0o400}.items():
        (source / name).chmod(mode)
    found = refusals(source, ordinary_user / "submission" / "s.zip")
    for name in ("closed", "listed"):
        (source / name).chmod(0o700)
    assert found == {"w.bin": "unreadable", "closed/": "unreadable", "listed/b": "unreadable"}


def test_a_folder_that_may_not_be_written_is_the_machines_fault(ordinary_user: Path) -> None:
    source = ordinary_user / "mymodel"
    write(source, {"main.py": b""})
    source.chmod(0o500)
    with pytest.raises(MachineError, match="Permission denied"):
        pack(source, source / "s.zip")
    source.chmod(0o700)


def test_a_zip_that_is_there_is_kept_without_force(source: Path, zip_path: Path) -> None:
    write(zip_path.parent, {"submission.zip": b"precious"})
    with pytest.raises(UsageError, match="there already") as error:
        pack(source, zip_path)
    assert "--force" in error.value.hint
    assert zip_path.read_bytes() == b"precious"
    pack(source, zip_path, force=True)
    assert zipfile.is_zipfile(zip_path)


def test_a_zip_that_appears_meanwhile_is_kept_without_force(source: Path, zip_path: Path) -> None:
    def somebody_else(done: int, total: int) -> None:
        zip_path.write_bytes(b"theirs")

    with pytest.raises(UsageError, match="there already"):
        pack(source, zip_path, on_progress=somebody_else)
    assert zip_path.read_bytes() == b"theirs"
    assert len(list(zip_path.parent.iterdir())) == 1


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("/etc/passwd"), os.mkfifo])
def test_only_a_file_is_ever_replaced(make: Callable[[Path], None], source: Path, zip_path: Path) -> None:
    zip_path.parent.mkdir()
    make(zip_path)
    with pytest.raises(UsageError, match="left alone"):
        pack(source, zip_path, force=True)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "No space left on device"), MachineError),
        (OSError(errno.EIO, "Input/output error"), MachineError),
    ],
)
def test_a_failure_leaves_what_was_there(
    error: BaseException, raised: type[BaseException], source: Path, zip_path: Path
) -> None:
    write(zip_path.parent, {"submission.zip": b"precious"})

    def fail(done: int, total: int) -> None:
        raise error

    with pytest.raises(raised):
        pack(source, zip_path, force=True, on_progress=fail)
    assert zip_path.read_bytes() == b"precious"
    assert len(list(zip_path.parent.iterdir())) == 1


@pytest.mark.parametrize("change", ["grows", "shrinks", "goes"])
def test_a_file_that_changes_meanwhile_is_noticed(change: str, source: Path, zip_path: Path) -> None:
    def meddle(done: int, total: int) -> None:
        last = source / "w.bin"
        if change == "goes":
            last.unlink(missing_ok=True)
        else:
            last.write_bytes(b"x" * (99 if change == "shrinks" else 9999))

    with pytest.raises(BadSubmission, match=r"w\.bin changed while it was packed"):
        pack(source, zip_path, on_progress=meddle)
    assert not list(zip_path.parent.iterdir())


def test_packing_the_folder_one_stands_in_works_twice(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source)
    zip_path = Path("submission/submission.zip")
    first = pack(Path(), zip_path)
    write(source, {"submission/log.txt": b"of a run"})
    second = pack(Path(), zip_path, force=True)
    assert first.sha256 == second.sha256
    assert [(left.name, left.reason) for left in second.left_out] == [
        ("submission/", "where the zip is written")
    ]


def test_the_zip_itself_never_goes_in(source: Path) -> None:
    first = pack(source, source / "out.zip")
    second = pack(source, source / "out.zip", force=True)
    assert first.sha256 == second.sha256


def test_what_is_not_a_folder_is_said_to_be_what_it_is(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        pack(tmp_path / "nowhere", tmp_path / "s.zip")
    with pytest.raises(UsageError, match="not a folder") as error:
        pack(source / "main.py", tmp_path / "s.zip")
    assert f"whaledo pack {source}" in error.value.hint
    pack(source, tmp_path / "s.zip")
    with pytest.raises(UsageError, match="a zip already"):
        pack(tmp_path / "s.zip", tmp_path / "t.zip")


def test_a_main_py_that_is_no_python_is_warned_about(source: Path, zip_path: Path) -> None:
    assert pack(source, zip_path).warnings == ()
    for code, place in ((b"import os\nprint 'hello'\n", "main.py:2"), (b"x = '\0'", "main.py")):
        write(source, {"main.py": code})
        (warning,) = pack(source, zip_path, force=True).warnings
        assert warning.startswith(place)
    write(source, {"main.py": b"\xef\xbb\xbfprint('\\d')\r\n"})
    assert pack(source, zip_path, force=True).warnings == ()


def test_a_big_zip_is_warned_about(source: Path, zip_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_module, "BIG_ZIP_BYTES", 100)
    assert "takes long" in pack(source, zip_path).warnings[0]


def test_progress_ends_at_the_total(source: Path, zip_path: Path) -> None:
    told: list[tuple[int, int]] = []
    packed = pack(source, zip_path, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (packed.total_bytes, packed.total_bytes)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("store", [True, False])
def test_memory_does_not_grow_with_the_files(store: bool, source: Path, zip_path: Path) -> None:
    with (source / "zeros.bin").open("wb") as file:
        file.truncate(128 << 20)
    script = (
        "import resource, sys; from pathlib import Path; from whaledo.submission.pack import pack\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "pack(Path(sys.argv[1]), Path(sys.argv[2]), store=sys.argv[3] == 'True')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", script, str(source), str(zip_path), str(store)]
    grown_kib = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown_kib < 24 << 10
