from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from whaledo.environment import locking
from whaledo.environment.catalogue import read_catalogue
from whaledo.environment.locking import compile_locks, lock_all, replace_files
from whaledo.environment.profiles import entries, pins
from whaledo.errors import MachineError


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def locks(locked: Any) -> dict[str, str]:
    """The texts of the locks, by profile."""
    return {name: (locked.folder / f"environment-{name}.lock").read_text() for name in ("core", "cpu", "gpu")}


def test_cpu_holds_what_gpu_holds_without_what_only_cuda_needs(locks: dict[str, str]) -> None:
    gpu = {"echo": "1.0", "net": "1.0", "nvidia-cuda-runtime": "13.0.96", "torch": "1.5"}
    assert pins(locks["gpu"]) == gpu
    assert pins(locks["cpu"]) == {"echo": "1.0", "net": "1.0", "torch": "1.5+cpu"}
    assert pins(locks["core"]) == {"echo": "1.0"}


def test_the_cpu_builds_come_with_the_hashes_of_their_own_lock(locked: Any, locks: dict[str, str]) -> None:
    assert entries(locks["cpu"])["torch"] == (locked.folder / "torch-cpu.lock").read_text()
    assert "--hash=sha256:" in entries(locks["gpu"])["torch"]
    assert entries(locks["gpu"])["torch"] != entries(locks["cpu"])["torch"]


def test_no_lock_names_where_packages_come_from(locked: Any, locks: dict[str, str]) -> None:
    for lock in locks.values():
        assert str(locked.wheels) not in lock
        assert "://" not in lock


def test_what_the_locks_let_one_import_is_written_with_them(locked: Any) -> None:
    known = read_catalogue(locked.folder)

    assert known["net", "1.0"].imports == ("net_lib",)
    assert known["net", "1.0"].size_bytes > 6
    assert known["echo", "1.0"].licence == "MIT"
    assert known["torch", "1.5"].imports == ("torch",)


def test_versions_stay_while_they_fit(locked: Any) -> None:
    (locked.folder / "environment.in").write_text("echo  # hears whales\n")

    assert pins(compile_locks(locked.folder)["core"]) == {"echo": "1.0"}


def test_an_upgrade_moves_all_profiles_at_once_but_torch_only_with_its_cpu_builds(locked: Any) -> None:
    (locked.folder / "environment.in").write_text("echo  # hears whales\n")

    upgraded = {profile: pins(lock) for profile, lock in compile_locks(locked.folder, upgrade=True).items()}

    assert {lock["echo"] for lock in upgraded.values()} == {"2.0"}
    assert upgraded["gpu"]["torch"] == "1.5"


def test_what_is_known_already_is_not_fetched_again(locked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (locked.folder / "environment.in").write_text("echo<2  # hears whales, and dolphins\n")
    monkeypatch.setattr("whaledo.environment.catalogue.look_at", lambda *_: pytest.fail("fetched again"))

    assert lock_all(locked.folder) == {"core": (), "cpu": (), "gpu": ()}


def test_a_package_that_cannot_be_fetched_leaves_everything_as_it_was(
    sources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MachineError("the network went away")

    monkeypatch.setattr("whaledo.environment.catalogue.look_at", fail)
    before = contents(sources.folder)

    with pytest.raises(MachineError, match="went away"):
        lock_all(sources.folder)
    assert contents(sources.folder) == before


def test_files_are_replaced_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "full").touch()

    with pytest.raises(MachineError, match="couldn't write the locks"):
        replace_files(tmp_path, {"a": "new", "b": "new", "c": "new"})
    assert contents(tmp_path) == {"a": b"old"}


def test_everything_but_the_libraries_of_cuda_is_compared() -> None:
    only_for_cuda = locking._ONLY_FOR_CUDA.fullmatch
    assert all(map(only_for_cuda, ("nvidia-nccl-cu13", "cuda-bindings", "triton")))
    assert not any(map(only_for_cuda, ("torch", "torchvision", "numpy", "triton-tools")))
