"""What is checked in was made from the table, and decides every call as the table says.

The filters are judged by running them, instruction by instruction, on calls that an attacker would try: so the
one for the other processor too, and whatever libseccomp makes of overlapping conditions.
"""

from __future__ import annotations

import json
import runpy
import struct
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pyseccomp  # type: ignore[import-untyped]  # it has no stubs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.execution.seccomp import ARCHITECTURES, load_filter, profile_path
from whaledo.execution.seccomp.generate import exists, split
from whaledo.execution.seccomp.table import ALLOWED, INT, REFUSED, RESTRICTIONS, UNCOUNTED, Match

ROOT = Path(__file__).resolve().parents[3]

ENOSYS = 38
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386, ARM, X32 = 0x40000003, 0x40000028, 0x40000000
ALLOW, KILL_PROCESS, ERROR = 0x7FFF0000, 0x80000000, 0x00050000

LD_ABS, AND, JA, JEQ, JGT, JGE, RET = 0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x06

Instruction = tuple[int, int, int, int]


@cache
def program(machine: str, *, counted: bool = True) -> tuple[Instruction, ...]:
    """The checked-in filter, as instructions (code, jump if true, jump if false, constant)."""
    return tuple(struct.iter_unpack("=HBBI", load_filter(machine, counted=counted) or b""))


def decide(instructions: tuple[Instruction, ...], number: int, arch: int, arguments: tuple[int, ...]) -> int:
    """What the kernel would do with a call: classic BPF over `struct seccomp_data`."""
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, arch, 0, *arguments)
    accumulator = position = 0
    while True:
        code, if_true, if_false, constant = instructions[position]
        position += 1
        if code == RET:
            return constant
        if code == LD_ABS:
            (accumulator,) = struct.unpack_from("=I", data, constant)
        elif code == AND:
            accumulator &= constant
        elif code == JA:
            position += constant
        else:
            jumps = {JEQ: accumulator == constant, JGT: accumulator > constant, JGE: accumulator >= constant}
            position += if_true if jumps[code] else if_false


def promised(call: str | None, arguments: tuple[int, ...], *, counted: bool = True) -> int:
    """What the table says of a call: an error number, or 0 for allowed."""
    for refused in REFUSED if counted else (*REFUSED, UNCOUNTED):
        if call in refused.calls:
            return refused.errno
    if not any(call in group.calls for group in ALLOWED):
        return ENOSYS
    for restriction in RESTRICTIONS:
        matches = restriction.refused.get(str(call))
        if matches and all((arguments[m.argument] & m.mask in m.values) != m.negated for m in matches):
            return restriction.errno
    return 0


def number_of(call: str, machine: str) -> int:
    """The call's number on a processor."""
    number: int = pyseccomp.resolve_syscall(getattr(pyseccomp.Arch, machine.upper()), call)
    return number


@cache
def name_of(number: int, machine: str) -> str | None:
    """The call of that number; None: there is none that libseccomp knows."""
    try:
        name: bytes = pyseccomp.resolve_syscall(getattr(pyseccomp.Arch, machine.upper()), number)
    except ValueError:
        return None
    return name.decode()


def answer(errno: int) -> int:
    """The filter's way of saying an error number, or 0 for allowed."""
    return ERROR | errno if errno else ALLOW


@cache
def made() -> dict[Path, bytes]:
    """What scripts/make_seccomp.py would write now."""
    outputs: dict[Path, bytes] = runpy.run_path(str(ROOT / "scripts/make_seccomp.py"))["outputs"]()
    return outputs


FORMATS = ("filter-x86_64{}.bpf", "filter-aarch64{}.bpf", "oci{}.json")
COUNTED = pytest.mark.parametrize("counted", [True, False], ids=["counted", "uncounted"])


def test_what_is_checked_in_was_made_from_the_table() -> None:
    names = {name.format(variant) for name in FORMATS for variant in ("", "-uncounted")}
    assert {path.name for path in made()} == names | {"seccomp.md"}
    for path, content in made().items():
        assert path.read_bytes() == content, "run scripts/make_seccomp.py"


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("arguments", [(0,) * 6, (2**64 - 1,) * 6], ids=["zeroes", "ones"])
@COUNTED
def test_every_number_is_answered_as_the_table_says(
    machine: str, arguments: tuple[int, ...], counted: bool
) -> None:
    for number in range(600):
        name = name_of(number, machine)
        verdict = decide(program(machine, counted=counted), number, AUDIT_ARCH[machine], arguments)
        assert verdict == answer(promised(name, arguments, counted=counted)), (number, name)


RESTRICTED = sorted({call for restriction in RESTRICTIONS for call in restriction.refused})


def attempts(call: str) -> Iterator[tuple[int, ...]]:
    """Arguments on both sides of every condition on a call, also behind bits that the kernel drops."""
    matches = [m for r in RESTRICTIONS for m in r.refused.get(call, ())]
    probed = []
    for index in range(6):
        mine = [match for match in matches if match.argument == index]
        values = {0} | {value for match in mine for value in match.values}
        values |= {1 << i for i in range(32) for match in mine if match.mask != INT and match.mask >> i & 1}
        neighbours = {value ^ bit for value in values for bit in (1, 2, 1 << 31, 1 << 40)} if mine else set()
        probed.append(sorted(values | neighbours))
    return product(*probed)


@pytest.mark.parametrize("call", RESTRICTED)
def test_a_restricted_call_is_decided_by_its_arguments(call: str) -> None:
    for machine in (machine for machine in ARCHITECTURES if exists(call, machine)):
        number, instructions = number_of(call, machine), program(machine)
        for arguments in attempts(call):
            verdict = decide(instructions, number, AUDIT_ARCH[machine], arguments)
            assert verdict == answer(promised(call, arguments)), arguments


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("foreign", [I386, ARM])
def test_calls_of_another_abi_kill_the_process(machine: str, foreign: int) -> None:
    assert decide(program(machine), number_of("read", machine), foreign, (0,) * 6) == KILL_PROCESS


def test_x32_calls_kill_the_process() -> None:
    read = X32 | number_of("read", "x86_64")
    assert decide(program("x86_64"), read, AUDIT_ARCH["x86_64"], (0,) * 6) == KILL_PROCESS


match = st.integers(1, 2**32 - 1).flatmap(
    lambda mask: st.builds(
        Match,
        st.integers(0, 5),
        st.lists(st.integers(0, 2**32 - 1).map(lambda value: value & mask), min_size=1, max_size=4).map(
            tuple
        ),
        st.just(mask),
        st.booleans(),
    )
)


@given(condition=match, value=st.integers(0, 2**64 - 1))
def test_a_condition_is_cut_into_regions_that_miss_nothing_and_share_nothing(
    condition: Match, value: int
) -> None:
    value = condition.values[0] if value % 3 == 0 else value
    holds, fails = (
        [region for region in regions for mask, wanted in region.values() if value & mask == wanted]
        for regions in split(condition)
    )
    meant = (value & condition.mask in condition.values) != condition.negated
    assert (len(holds), len(fails)) == ((1, 0) if meant else (0, 1))


@cache
def profile(*, counted: bool = True) -> dict[str, Any]:
    """The checked-in profile for Docker and Podman."""
    content: dict[str, Any] = json.loads(profile_path(counted=counted).read_text())
    return content


def oci_answers(call: str, arguments: tuple[int, ...], *, counted: bool = True) -> Iterator[int]:
    """The answers of all its entries that fit a call: an error number, or 0 for allowed."""
    for entry in profile(counted=counted)["syscalls"]:
        if call in entry["names"] and all(
            arguments[condition["index"]] & condition["value"] == condition["valueTwo"]
            for condition in entry["args"]
        ):
            yield entry["errnoRet"] if entry["action"] == "SCMP_ACT_ERRNO" else 0


@pytest.mark.parametrize("call", [*RESTRICTED, *UNCOUNTED.calls, "read", "mount", "clone3", "fanotify_init"])
@COUNTED
def test_the_profile_for_containers_says_the_same(call: str, counted: bool) -> None:
    for arguments in attempts(call):
        answers = list(oci_answers(call, arguments, counted=counted))
        assert len(answers) <= 1
        right = promised(call, arguments, counted=counted)
        assert (answers or [profile()["defaultErrnoRet"]]) == [right], arguments


def test_an_old_dockerd_that_knows_no_default_error_still_says_that_clone3_is_missing() -> None:
    assert list(oci_answers("clone3", (0,) * 6)) == [ENOSYS]


def test_the_profile_uses_only_conditions_that_compare_under_a_mask() -> None:
    operations = {condition["op"] for entry in profile()["syscalls"] for condition in entry["args"]}
    assert operations == {"SCMP_CMP_MASKED_EQ"}
    assert [arch["subArchitectures"] for arch in profile()["archMap"]] == [[], []]
