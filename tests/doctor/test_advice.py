"""The line that mends a host, for hosts that are made up after real ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whaledo.doctor.advice import APPARMOR, YEAR_S, mend, mend_unusable, notes
from whaledo.doctor.facts import Facts, collect_facts
from whaledo.environment.accelerator import Gpu
from whaledo.execution.records import Guarantee, Held, Level

FINE = Facts(user="ada", now_s=YEAR_S * 56, made_s=YEAR_S * 55.5)
ROOT = replace(FINE, uid=0, user="root")
WATCHED = Held(Level.BEST_EFFORT, "looked at ten times a second; no control group: …")


@pytest.mark.parametrize(
    ("facts", "engine", "guarantee", "held", "says"),
    [
        (replace(FINE, session=False), "bubblewrap", "memory", WATCHED, "sudo loginctl enable-linger ada"),
        (replace(FINE, cgroups="v1"), "bubblewrap", "memory", WATCHED, "systemd.unified_cgroup_hierarchy=1"),
        (replace(ROOT, cgroups="", container=True), "bubblewrap", "memory", WATCHED, "on the host itself"),
        (replace(FINE, session=False, container=True), "bubblewrap", "memory", WATCHED, "on the host itself"),
        (FINE, "bubblewrap", "cpus", Held(Level.BEST_EFFORT, "cgroup v2 without a cpu controller"), "delegate.conf"),
        (FINE, "podman", "memory", Held(Level.NOT_ENFORCED, "podman didn't pass the limit on"), "delegate.conf"),
        (replace(FINE, cgroups="v1"), "podman", "memory", Held(Level.NOT_ENFORCED, "…"), "for cgroup v2"),
        (FINE, "bubblewrap", "process_count", Held(Level.NOT_ENFORCED, "no prlimit on this host"), "util-linux"),
        (FINE, "docker", "disk", Held(Level.BEST_EFFORT, "…"), "--engine bubblewrap"),
        (replace(FINE, apparmor_restricts=True), "bubblewrap", "disk", WATCHED, "AppArmor's profile"),
        (replace(FINE, machine="riscv64"), "bubblewrap", "system_calls", Held(Level.NOT_ENFORCED, ""), "riscv64"),
        (FINE, "docker", "system_calls", Held(Level.NOT_ENFORCED, "without seccomp"), "docker was built"),
        (replace(FINE, system="Darwin"), "docker", "memory", Held(Level.BEST_EFFORT, ""), "virtual machine"),
    ],
)  # fmt: skip
def test_what_is_not_enforced_gets_the_line_that_suits_the_host(
    facts: Facts, engine: str, guarantee: str, held: Held, says: str
) -> None:
    assert says in mend(facts, engine, Guarantee(guarantee), held)


@pytest.mark.parametrize("guarantee", Guarantee)
def test_what_is_enforced_needs_no_mending(guarantee: Guarantee) -> None:
    assert mend(FINE, "bubblewrap", guarantee, Held(Level.ENFORCED, "cgroup v2")) == ""


@pytest.mark.parametrize(
    ("facts", "engine", "why", "says"),
    [
        (
            replace(FINE, apparmor_restricts=True),
            "bubblewrap",
            "the run's walls can't be built here: bwrap: setting up uid map: Permission denied",
            APPARMOR,
        ),
        (
            replace(FINE, apparmor_restricts=True),
            "bubblewrap",
            "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
            APPARMOR,
        ),
        (
            replace(FINE, container=True),
            "bubblewrap",
            "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
            "on the host itself",
        ),
        (
            replace(FINE, subordinate_ids=False),
            "podman",
            "podman couldn't start the container: cannot find UID/GID for user ada",
            "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ada",
        ),
        (
            replace(FINE, subordinate_ids=False),
            "podman",
            "podman has no image whaledo/runtime:core",
            "whaledo image build --engine podman",
        ),
        (replace(FINE, subordinate_ids=False), "podman", "cannot determine the home folder", "what is known"),
        (replace(FINE, system="Darwin"), "bubblewrap", "isn't installed", "--engine docker"),
        (FINE, "docker", "permission denied while trying to connect to the daemon", "what is known"),
    ],
)
def test_an_engine_that_cannot_be_used_gets_the_line_that_suits_the_host(
    facts: Facts, engine: str, why: str, says: str
) -> None:
    assert says in mend_unusable(facts, engine, why, "what is known")


def codes(facts: Facts, cuda: str | None = None) -> set[str]:
    return {note.code for note in notes(facts, cuda)}


def test_a_host_that_has_everything_gets_no_notes() -> None:
    assert codes(FINE, "13.0") == set()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(FINE, now_s=0.0), "clock"),
        (replace(FINE, now_s=YEAR_S * 80), "clock"),
        (replace(FINE, free_bytes=10**9), "disk"),
        (replace(FINE, open_files=1024), "open_files"),
        (replace(FINE, file_size_bytes=2**30), "file_size"),
        (replace(FINE, wsl=True), "wsl"),
        (replace(FINE, system="Darwin"), "macos"),
        (replace(FINE, container=True), "container"),
        (replace(FINE, subordinate_ids=False), "subordinate_ids"),
    ],
)
def test_what_runs_will_meet_is_said(facts: Facts, code: str) -> None:
    assert codes(facts) == {code}


def test_a_driver_that_is_too_old_and_a_missing_toolkit_are_said() -> None:
    old = replace(FINE, gpu=Gpu("Tesla", "525.60.13", "12.0"))
    assert codes(old, "13.0") == {"gpu", "driver_too_old", "gpu_toolkit"}
    fitting = replace(FINE, gpu=Gpu("Tesla", "580.65.06", "13.0"), gpu_toolkit=True)
    assert codes(fitting, "13.0") == {"gpu"}


def test_the_clock_may_differ_by_a_day() -> None:
    assert codes(replace(FINE, now_s=FINE.made_s - 3600)) == set()


def test_the_facts_of_this_host_are_read() -> None:
    facts = collect_facts()
    assert facts.made_s < facts.now_s
    assert facts.free_bytes > 0
    assert facts.user
