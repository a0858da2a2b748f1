"""The runtime's own sources, locks, tests and data agree with each other."""

from __future__ import annotations

import re

import pytest

from whaledo.environment.catalogue import read_catalogue
from whaledo.environment.locking import _ONLY_FOR_CUDA, TORCH_LOCK
from whaledo.environment.names import import_names, profiles_with
from whaledo.environment.profiles import entries, pins, profiles, public_version, read_lock
from whaledo.environment.self_test import own_tests
from whaledo.resources import runtime_folder

LOCKS = {profile: read_lock(profile).versions() for profile in profiles()}


def listed(source: str) -> set[str]:
    """The packages that a source names itself."""
    lines = (runtime_folder() / source).read_text("utf-8").splitlines()
    return {match[0] for line in lines if (match := re.match(r"[a-z][a-z0-9-]*", line))}


def test_there_are_three_profiles_from_small_to_large() -> None:
    assert profiles() == ("core", "cpu", "gpu")
    assert len(LOCKS["core"]) < len(LOCKS["cpu"]) < len(LOCKS["gpu"])


def test_no_package_has_two_versions() -> None:
    public = {profile: {n: public_version(v) for n, v in lock.items()} for profile, lock in LOCKS.items()}

    assert public["core"].items() <= public["cpu"].items()
    assert public["cpu"].items() <= public["gpu"].items()


def test_gpu_has_nothing_more_than_cpu_but_what_cuda_needs() -> None:
    more = LOCKS["gpu"].keys() - LOCKS["cpu"].keys()

    assert [name for name in more if not _ONLY_FOR_CUDA.fullmatch(name)] == []
    assert listed("environment-gpu.in") == set()


def test_the_cpu_builds_of_torch_are_locked_as_their_own_lock_says() -> None:
    lock = entries(read_lock("cpu").path.read_text("utf-8"))

    builds = entries((runtime_folder() / TORCH_LOCK).read_text("utf-8"))
    assert set(builds) == {"torch", "torchvision"}
    assert {name: lock[name] for name in builds} == builds


def test_every_locked_package_is_known_and_no_other() -> None:
    wanted = {(name, public_version(version)) for lock in LOCKS.values() for name, version in lock.items()}

    assert read_catalogue().keys() == wanted


@pytest.mark.parametrize(
    ("name", "held_by"),
    [
        ("cv2", ("core", "cpu", "gpu")),
        ("sklearn.metrics", ("core", "cpu", "gpu")),
        ("torch", ("cpu", "gpu")),
        ("pytorch_lightning", ("cpu", "gpu")),
        ("triton", ("gpu",)),
        ("tensorflow", ()),
    ],
)
def test_it_is_known_which_profiles_have_a_module(name: str, held_by: tuple[str, ...]) -> None:
    assert profiles_with(name) == held_by


@pytest.mark.parametrize("profile", ["core", "cpu"])
def test_every_package_that_is_named_has_a_test_that_imports_it(profile: str) -> None:
    tests = own_tests(profile)[-1].read_text("utf-8")
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", tests, re.MULTILINE))
    tested = {import_names(profile)[name] for name in imported if name in import_names(profile)}

    assert listed("environment.in" if profile == "core" else "environment-cpu.in") <= tested


@pytest.mark.parametrize("profile", profiles())
def test_tests_import_nothing_that_the_profile_lacks(profile: str) -> None:
    standard = {"__future__", "csv", "io", "pathlib", "sys", "tempfile", "unittest"}
    for path in own_tests(profile):
        imported = re.findall(r"^\s*(?:import|from) (\w+)", path.read_text("utf-8"), re.MULTILINE)
        assert set(imported) - standard <= import_names(profile).keys(), path


def test_each_profile_is_tested_with_the_own_tests_the_smaller_ones_too() -> None:
    assert [path.name for path in own_tests("core")] == ["test_core.py"]
    assert [path.name for path in own_tests("gpu")] == ["test_core.py", "test_cpu.py", "test_gpu.py"]


def test_the_names_of_a_lock_are_those_of_its_pins() -> None:
    for profile in profiles():
        text = read_lock(profile).path.read_text("utf-8")
        assert entries(text).keys() == pins(text).keys()
        assert "".join(entries(text).values()) == text
