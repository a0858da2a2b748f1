from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from whaledo.environment import addition as module
from whaledo.environment.addition import Request, plan_addition, read_request, require_reason, with_line
from whaledo.environment.catalogue import read_catalogue
from whaledo.environment.changes import Change
from whaledo.environment.profiles import pins
from whaledo.errors import MachineError, UsageError


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "asked", ["timm", "timm>=1", "timm==1,<2", "==1", "timm==", "git+https://x/timm", ""]
)
def test_only_a_package_with_its_version_can_be_asked_for(asked: str) -> None:
    with pytest.raises(UsageError, match="is no package with a version"):
        read_request(asked, "")


def test_a_request_is_written_as_indexes_write_it() -> None:
    assert read_request(" Tiny_Whale[extra]==1.0 ", "a\nb") == Request(
        "tiny-whale", "tiny-whale[extra]==1.0", "a b"
    )


SOURCE = (
    "# Why.\n\n-r environment.in\nalpha                        # first\nomega<5                      # last\n"
)


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ("beta==1", ["alpha", "beta==1", "omega<5"]),
        ("aaa==1", ["aaa==1", "alpha", "omega<5"]),
        ("zeta==1", ["alpha", "omega<5", "zeta==1"]),
        ("omega==4.2", ["alpha", "omega==4.2"]),
    ],
)
def test_a_line_stands_in_the_alphabets_place_or_instead_of_the_old(asked: str, lines: list[str]) -> None:
    text = with_line(SOURCE, read_request(asked, "new"))

    assert [line.partition(" ")[0] for line in text.splitlines()[3:]] == lines
    assert text.startswith("# Why.\n\n-r environment.in\n")
    assert text.count("# ") == len(lines) + 1


def test_the_reason_that_stood_there_stays_unless_another_is_given() -> None:
    assert "omega==4.2                   # last\n" in with_line(SOURCE, read_request("omega==4.2", ""))
    assert "omega==4.2                   # better\n" in with_line(
        SOURCE, read_request("omega==4.2", "better")
    )


def test_the_impact_on_every_profile_is_told_and_nothing_is_written(locked: Any) -> None:
    before = contents(locked.folder)

    planned = plan_addition(locked.folder, read_request("echo==2.0", ""), "cpu")

    moved = (Change("echo", "1.0", "2.0"),)
    assert planned.changes == {"core": moved, "cpu": moved, "gpu": moved}
    assert planned.source == "environment.in"
    assert planned.without_arm == ()
    entry = planned.entry(moved[0])
    assert entry is not None
    assert entry.licence == "MIT"
    assert planned.size_bytes("core") == 0
    assert contents(locked.folder) == before


def test_writing_changes_the_source_every_lock_and_what_is_known(locked: Any) -> None:
    plan_addition(locked.folder, read_request("echo==2.0", ""), "cpu").write(locked.folder)

    assert "echo==2.0                    # hears whales\n" in (locked.folder / "environment.in").read_text()
    for profile in ("core", "cpu", "gpu"):
        assert pins((locked.folder / f"environment-{profile}.lock").read_text())["echo"] == "2.0"
    assert ("echo", "2.0") in read_catalogue(locked.folder)


def test_a_package_for_the_field_leaves_core_alone(locked: Any) -> None:
    request = read_request("tiny-whale==1.0", "swims")
    planned = plan_addition(locked.folder, request, "cpu")

    assert planned.source == "environment-cpu.in"
    assert planned.changes["core"] == ()
    assert planned.changes["gpu"] == (Change("tiny-whale", None, "1.0"),)
    assert planned.size_bytes("gpu") > 0


def test_a_package_for_every_profile_goes_into_the_shared_source(locked: Any) -> None:
    planned = plan_addition(locked.folder, read_request("tiny-whale==1.0", "swims"), "core")

    assert planned.source == "environment.in"
    assert {*planned.changes.values()} == {(Change("tiny-whale", None, "1.0"),)}


@pytest.mark.parametrize(
    ("asked", "why"),
    [("echo==9.0", "there is no version of echo==9.0"), ("nothing==1", "nothing"), ("net==2.0", "torch")],
)
def test_an_impossible_version_changes_nothing_and_says_why(locked: Any, asked: str, why: str) -> None:
    before = contents(locked.folder)

    with pytest.raises(UsageError, match="nothing was changed") as caught:
        plan_addition(locked.folder, read_request(asked, "x"), "cpu")
    assert why in caught.value.message
    assert contents(locked.folder) == before


def test_another_fault_of_uv_is_the_machines(locked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MachineError("couldn't compile: uv failed:\n  error: Failed to fetch")

    monkeypatch.setattr(module, "compile_locks", fail)
    with pytest.raises(MachineError, match="Failed to fetch"):
        plan_addition(locked.folder, read_request("echo==2.0", "x"), "cpu")


def test_the_version_of_torch_is_decided_with_its_cpu_builds(locked: Any) -> None:
    with pytest.raises(UsageError, match=r"torch-cpu\.lock"):
        plan_addition(locked.folder, read_request("torch==2.5", "x"), "cpu")


def test_gpu_gets_no_package_of_its_own(locked: Any) -> None:
    with pytest.raises(UsageError, match="profile `gpu`"):
        plan_addition(locked.folder, read_request("tiny-whale==1.0", "x"), "gpu")


def test_a_new_package_needs_a_reason_and_a_listed_one_has_it(locked: Any) -> None:
    require_reason(locked.folder, read_request("echo==2.0", ""))
    require_reason(locked.folder, read_request("tiny-whale==1.0", "swims"))
    with pytest.raises(UsageError, match="without a reason"):
        require_reason(locked.folder, read_request("tiny-whale==1.0", ""))


def test_a_package_without_a_wheel_for_arm_is_told(locked: Any) -> None:
    wheel = next(locked.wheels.glob("tiny_whale-*.whl"))
    wheel.rename(wheel.with_name("tiny_whale-1.0-py3-none-manylinux_2_17_x86_64.whl"))

    planned = plan_addition(locked.folder, read_request("tiny-whale==1.0", "swims"), "cpu")

    assert planned.without_arm == ("tiny-whale",)
