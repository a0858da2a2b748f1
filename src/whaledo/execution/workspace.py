"""A private folder for each run, gone when the run is over, whatever the submission left in it.

A run folder is held by a lock on a file beside it. A whaledo that is killed drops the lock with its last
breath, so the next run knows which folders nobody needs any more, and removes them.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from whaledo.errors import MachineError, Problem, Problems

RUN_UID = 60_950
"""Host user (and group) of a submission when whaledo itself is started by root.

It owns nothing and can't log in; the number lies where neither distributions nor systemd give any out.
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one run.

    Attributes:
        folder: its path.
        uid: the host user that the submission runs as.
    """

    folder: Path
    uid: int

    @property
    def code(self) -> Path:
        """The extracted zip."""
        return self.folder / "code"

    @property
    def data(self) -> Path:
        """The public view of the challenge, images left to mounts."""
        return self.folder / "data"

    @property
    def submission(self) -> Path:
        """The submission folder, where the engine has no better place for it."""
        return self.folder / "submission"

    @property
    def etc(self) -> Path:
        """The made-up system files, where the engine shows them from disk."""
        return self.folder / "etc"

    @property
    def wires(self) -> Path:
        """The pipes between a container and us."""
        return self.folder / "wires"

    @property
    def stage(self) -> Path:
        """Where an engine mounts what only this run sees."""
        return self.folder / "stage"


LetGo = Callable[[str, str], None]
"""Ends what a dead run may have left running: called with its engine's name and its id."""


@contextmanager
def workspace(runs: Path, run_id: str, engine: str, let_go: LetGo) -> Iterator[Workspace]:
    """Make the folder of a run below `runs`, and remove it at the end; first clear what dead runs left.

    Args:
        runs: where the folders of all runs are.
        run_id: unique name of this one.
        engine: the engine that it is for, noted so that whoever clears it knows whom to ask.
        let_go: ends what a dead run left running, before its folder goes.

    Raises:
        MachineError: the folder can't be made, or, for root, the unprivileged user couldn't enter it.
    """
    uid = RUN_UID if os.geteuid() == 0 else os.geteuid()
    folder = runs / run_id
    with ExitStack() as at_the_end:
        try:
            runs.mkdir(parents=True, exist_ok=True, mode=0o711)
            sweep(runs, let_go)
            lock = _lock(runs / f"{run_id}.lock")
            at_the_end.callback(_clear, folder, lock)
            os.write(lock, engine.encode())
            folder.mkdir(mode=0o700)
            if uid != os.geteuid():
                os.chown(folder, 0, uid)
                folder.chmod(0o710)
        except OSError as error:
            raise MachineError(
                f"can't make the run's folder in {runs}: {error.strerror}",
                hint="free some space there, or set WHALEDO_HOME to a folder that you can write",
            ) from error
        if uid != os.geteuid():
            _check_reachable(runs)
        yield Workspace(folder, uid)


def hand_over(folder: Path, uid: int) -> None:
    """Make the run's user the owner of a tree that we wrote; nothing to do where we are that user."""
    if uid == os.geteuid():
        return
    os.chown(folder, uid, uid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), uid, uid, follow_symlinks=False)


def closed_to_others(paths: Iterable[Path]) -> Problems:
    """Files and folders that the unprivileged user of a run can't read; what isn't there is left out."""
    problems = Problems()
    for path in paths:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
        if mode & needed != needed:
            text = f"other users can't read it (mode {stat.S_IMODE(mode):04o})"
            problems.add(Problem("closed_to_others", text, file=str(path)))
    return problems


def sweep(runs: Path, let_go: LetGo) -> None:
    """Remove the folders of runs whose whaledo is no longer alive; see `workspace`."""
    for path in sorted(runs.glob("*.lock")):
        try:
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        try:
            let_go(os.read(lock, 64).decode(errors="replace"), path.stem)
            remove_tree(runs / path.stem)
        except (OSError, MachineError):  # left for the next run to try again: it must not be in its way
            os.close(lock)
            continue
        _unlock(path, lock)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, however deep, closed or oddly named; no link is followed.

    `shutil.rmtree` gives up on trees deeper than Python's stack, and on folders without permissions. Here
    each folder's subfolders are first moved up into the folder that is being removed: no path grows long.
    """
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    moved = 0
    try:
        while subfolders := _remove_files(top):
            for name in subfolders:
                inner = _open_folder(name, top)
                try:
                    for deeper in _remove_files(inner):
                        _open_to_owner(deeper, inner)
                        moved += 1
                        os.rename(deeper, f".whaledo-{moved}-{os.getpid()}", src_dir_fd=inner, dst_dir_fd=top)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _remove_files(folder: int) -> list[str]:
    """Unlink everything in an open folder that isn't a folder; return the names of the folders."""
    folders = []
    for name in os.listdir(folder):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            folders.append(name)
        else:
            os.unlink(name, dir_fd=folder)
    return folders


def _open_to_owner(name: str, parent: int) -> None:
    if os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode & 0o700 != 0o700:
        os.chmod(name, 0o700, dir_fd=parent)


def _open_folder(name: str, parent: int) -> int:
    _open_to_owner(name, parent)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _lock(path: Path) -> int:
    """Create and lock a file; again if a sweeper locked it first, for that one has unlinked it."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
        os.close(lock)


def _clear(folder: Path, lock: int) -> None:
    """Remove a run's folder and then its lock, which stays for the next run to try again if the folder does."""
    remove_tree(folder)
    _unlock(folder.with_name(f"{folder.name}.lock"), lock)


def _unlock(path: Path, lock: int) -> None:
    path.unlink(missing_ok=True)
    os.close(lock)


def _check_reachable(folder: Path) -> None:
    """Refuse a place that the unprivileged user can't enter: nothing in it could be shown to a run."""
    for step in (folder, *folder.parents):
        if not step.stat().st_mode & stat.S_IXOTH:
            raise MachineError(
                f"runs can't be kept in {folder}: {step} is closed to other users, and a run started by root "
                f"goes on as the unprivileged user {RUN_UID}",
                hint="set WHALEDO_HOME to a folder that others may enter, such as /var/lib/whaledo",
            )
