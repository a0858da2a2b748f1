"""A run's private folder: gone afterwards whatever lies in it, and cleared later where we were killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from whaledo.errors import MachineError
from whaledo.execution import workspace as module
from whaledo.execution.workspace import RUN_UID, closed_to_others, hand_over, remove_tree, sweep, workspace

ROOT = os.geteuid() == 0


class Cleared(list[tuple[str, str]]):
    """The runs that were ended before their folders were cleared: engine and id."""

    def __call__(self, engine: str, run_id: str) -> None:
        self.append((engine, run_id))


let_go = Cleared()


@pytest.fixture
def runs() -> Iterator[Path]:
    """Where runs are kept: a place that every user may enter."""
    with TemporaryDirectory(prefix="whaledo-tests-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "runs"


def test_the_folder_is_private_and_gone_afterwards(runs: Path) -> None:
    with workspace(runs, "run-1", "docker", let_go) as place:
        assert place.folder == runs / "run-1"
        mode = stat.S_IMODE(place.folder.stat().st_mode)
        assert mode == (0o710 if ROOT else 0o700)
        place.code.mkdir()
        (place.code / "main.py").write_text("")
    assert list(runs.iterdir()) == []


def test_the_folder_is_gone_when_the_run_fails(runs: Path) -> None:
    with pytest.raises(KeyError), workspace(runs, "run-1", "docker", let_go):
        raise KeyError
    assert list(runs.iterdir()) == []


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_started_by_root_the_run_is_another_user_who_owns_what_is_handed_over(runs: Path) -> None:
    with workspace(runs, "run-1", "docker", let_go) as place:
        assert place.uid == RUN_UID
        assert place.folder.stat().st_uid == 0
        (place.code / "package").mkdir(parents=True)
        (place.code / "package" / "main.py").write_text("")
        (place.code / "link").symlink_to("/etc/passwd")
        hand_over(place.code, place.uid)
        owners = {path.lstat().st_uid for path in (place.code, *place.code.rglob("*"))}
        assert owners == {RUN_UID}
        assert Path("/etc/passwd").stat().st_uid == 0


@pytest.mark.skipif(ROOT, reason="root never runs as itself")
def test_an_ordinary_user_stays_who_they_are(runs: Path) -> None:
    with workspace(runs, "run-1", "docker", let_go) as place:
        assert place.uid == os.geteuid()


@pytest.mark.skipif(not ROOT, reason="only root drops to another user")
def test_a_place_that_the_run_couldnt_enter_is_refused_and_left_clean(runs: Path) -> None:
    runs.parent.chmod(0o700)
    with (
        pytest.raises(MachineError, match="closed to other users") as caught,
        workspace(runs, "run-1", "docker", let_go),
    ):
        pass
    assert "WHALEDO_HOME" in caught.value.hint
    assert list(runs.iterdir()) == []


def test_a_place_that_cant_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(MachineError, match="can't make the run's folder") as caught,
        workspace(tmp_path / "file" / "runs", "run-1", "docker", let_go),
    ):
        pass
    assert "WHALEDO_HOME" in caught.value.hint


def leave_dead(runs: Path, name: str) -> None:
    """Leave what a whaledo leaves that was killed in the middle of a run."""
    code = "import os, sys\nfrom pathlib import Path\nfrom whaledo.execution.workspace import workspace\n"
    code += "with workspace(Path(sys.argv[1]), sys.argv[2], 'podman', print) as place:\n"
    code += "    place.code.mkdir()\n    os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(runs), name], check=False)


def test_what_a_killed_whaledo_left_is_cleared_by_the_next_and_the_living_are_let_be(runs: Path) -> None:
    with workspace(runs, "alive", "docker", let_go):
        leave_dead(runs, "dead-1")
        assert (runs / "dead-1" / "code").is_dir()
        cleared = Cleared()
        with workspace(runs, "next", "docker", cleared):
            assert cleared == [("podman", "dead-1")]
            assert sorted(path.name for path in runs.iterdir()) == [
                "alive",
                "alive.lock",
                "next",
                "next.lock",
            ]
    assert list(runs.iterdir()) == []


def test_a_lock_without_a_folder_is_cleared_too(runs: Path) -> None:
    runs.mkdir()
    (runs / "early.lock").touch()
    sweep(runs, let_go)
    assert list(runs.iterdir()) == []


def test_leftovers_that_cant_be_removed_dont_stop_the_next_run(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_dead(runs, "stuck")

    def refuse(folder: Path) -> None:
        if folder.name == "stuck":
            raise PermissionError(1, "Operation not permitted")
        remove_tree(folder)

    with monkeypatch.context() as patch:
        patch.setattr(module, "remove_tree", refuse)
        with workspace(runs, "next", "docker", let_go):
            assert (runs / "stuck.lock").exists()
    cleared = Cleared()
    sweep(runs, cleared)
    assert cleared == [("podman", "stuck")]
    assert list(runs.iterdir()) == []


def test_what_an_engine_cant_end_keeps_its_folder_for_the_next_run(runs: Path) -> None:
    leave_dead(runs, "running")

    def refuse(engine: str, run_id: str) -> None:
        raise MachineError(f"{engine} doesn't answer about {run_id}")

    with workspace(runs, "next", "docker", refuse):
        assert (runs / "running" / "code").is_dir()
    assert sorted(path.name for path in runs.iterdir()) == ["running", "running.lock"]


def test_a_lock_that_is_a_link_is_not_followed(runs: Path, tmp_path: Path) -> None:
    runs.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (runs / "x.lock").symlink_to(target)
    sweep(runs, let_go)
    assert target.is_dir()


def test_a_tree_deeper_than_any_path_is_removed(tree: Path) -> None:
    tree.mkdir()
    inner = os.open(tree, os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d", dir_fd=inner)
        os.close(os.open("file", os.O_CREAT, dir_fd=inner))
        deeper = os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(inner)
        inner = deeper
    os.close(inner)
    remove_tree(tree)
    assert not tree.exists()


def test_closed_folders_and_odd_names_are_removed(tree: Path) -> None:
    for name in ("a\nb", "-rf", os.fsdecode(b"\xff"), " ", "ü" * 120, ".whaledo-1-1", "*"):
        folder = tree / name / name
        folder.mkdir(parents=True)
        (folder / name).touch()
        folder.chmod(0)
        (tree / name).chmod(0)
    os.mkfifo(tree / "fifo")
    tree.chmod(0o700)
    remove_tree(tree)
    assert not tree.exists()


def test_no_link_is_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    (tree / "deep").mkdir(parents=True)
    for place in (tree, tree / "deep"):
        (place / "folder").symlink_to(tmp_path / "kept")
        (place / "file").symlink_to(tmp_path / "kept" / "file")
    remove_tree(tree)
    assert (tmp_path / "kept" / "file").read_text() == "kept"
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) & 0o700 == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        remove_tree(tmp_path / "link")
    assert (tmp_path / "kept" / "file").exists()


def test_what_isnt_there_is_removed_already(tmp_path: Path) -> None:
    remove_tree(tmp_path / "nothing")


def test_what_other_users_cannot_read_is_listed(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("open.jpg", "closed.jpg", "gone.jpg", "open", "unlisted")}
    for name, mode in (("open.jpg", 0o644), ("closed.jpg", 0o640)):
        paths[name].touch()
        paths[name].chmod(mode)
    for name, mode in (("open", 0o755), ("unlisted", 0o744)):
        paths[name].mkdir()
        paths[name].chmod(mode)

    problems = closed_to_others(paths.values())

    assert [problem.file for problem in problems] == [str(paths["closed.jpg"]), str(paths["unlisted"])]


def test_a_folder_that_cant_be_made_leaves_no_lock(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whaledo.execution.workspace.os.write", full)
    with (
        pytest.raises(MachineError, match="No space left on device"),
        workspace(runs, "next", "bubblewrap", let_go),
    ):
        pass
    assert list(runs.iterdir()) == []
