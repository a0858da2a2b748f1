"""Turn the table of system calls into filters: BPF for bubblewrap, a JSON profile for Docker and Podman.

For whoever changes the table; a run only loads what was generated, so it needs neither pyseccomp nor libseccomp.
Neither libseccomp nor the JSON can say "all values but these" or "else this error". So the arguments of each
restricted call are cut into regions that don't overlap and leave nothing out, each with its one answer: the same
rules then serve both formats, the order of rules means nothing, and one filter is enough.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from whaledo.execution.seccomp.filters import ARCHITECTURES
from whaledo.execution.seccomp.table import (
    ALLOWED,
    DEFAULT,
    REFUSED,
    RESTRICTIONS,
    UNCOUNTED,
    Errno,
    Match,
    Restriction,
)

Region = dict[int, tuple[int, int]]
"""Arguments that fit, index to (mask, value), where all of them hold; the empty region is every call."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One answer to one region of one call's arguments; `errno` None lets the call pass."""

    call: str
    errno: Errno | None
    region: Region


def rules(*, counted: bool) -> Iterator[Rule]:
    """The whole table; the regions of a call are disjoint, and what they leave out gets the default answer.

    Args:
        counted: whether a control group counts the run's memory; else, `UNCOUNTED` is refused too.
    """
    refusals = REFUSED if counted else (*REFUSED, UNCOUNTED)
    for refused in refusals:
        for call in refused.calls:
            yield Rule(call, refused.errno, {})
    for group in ALLOWED:
        for call in (each for each in group.calls if counted or each not in UNCOUNTED.calls):
            for errno, region in regions(call, [r for r in RESTRICTIONS if call in r.refused]):
                if errno is not DEFAULT:
                    yield Rule(call, errno, region)


def regions(call: str, restrictions: Sequence[Restriction]) -> Iterator[tuple[Errno | None, Region]]:
    """Cut all that `call` can be asked into regions; where restrictions overlap, the first one answers."""
    allowed: list[Region] = [{}]
    for restriction in restrictions:
        refused, passed = allowed, list[Region]()
        for match in restriction.refused[call]:
            holds, fails = split(match)
            passed += _both(refused, fails)
            refused = _both(refused, holds)
        yield from ((restriction.errno, region) for region in refused)
        allowed = passed
    yield from ((None, region) for region in allowed)


def split(match: Match) -> tuple[list[Region], list[Region]]:
    """Disjoint regions in which the condition holds, and in which it fails.

    Walks down the mask's bits from the highest: a beginning that no value shares is one region without the rest
    of its bits, a beginning that has used up all bits is a value.
    """
    inside, outside = list[Region](), list[Region]()

    def walk(bits: Sequence[int], mask: int, beginning: int, values: Sequence[int]) -> None:
        if not values:
            outside.append({match.argument: (mask, beginning)})
        elif not bits:
            inside.append({match.argument: (mask, beginning)})
        else:
            bit, lower = bits[0], bits[1:]
            walk(lower, mask | bit, beginning, [v for v in values if not v & bit])
            walk(lower, mask | bit, beginning | bit, [v for v in values if v & bit])

    walk([1 << i for i in reversed(range(64)) if match.mask >> i & 1], 0, 0, match.values)
    return (outside, inside) if match.negated else (inside, outside)


def _both(these: Sequence[Region], those: Sequence[Region]) -> list[Region]:
    """Where one of these and one of those hold together."""
    return [both for a in these for b in those if (both := _join(a, b)) is not None]


def _join(a: Region, b: Region) -> Region | None:
    joined = dict(a)
    for argument, (mask, value) in b.items():
        known, held = joined.get(argument, (0, 0))
        if (held ^ value) & known & mask:
            return None
        joined[argument] = (known | mask, held | value)
    return joined


def exists(call: str, machine: str) -> bool:
    """Whether the kernel has the call on this processor.

    Raises:
        ValueError: libseccomp knows it on none.
    """
    import pyseccomp  # type: ignore[import-untyped]  # it has no stubs

    number = pyseccomp.resolve_syscall(getattr(pyseccomp.Arch, machine.upper()), call)
    if number == -1:
        raise ValueError(f"libseccomp knows no system call {call!r}")
    return bool(number >= 0)


def bpf(machine: str, *, counted: bool) -> bytes:
    """The filter for one processor; the other ABIs of the same machine (32-bit, x32) kill the process."""
    import pyseccomp

    processor = getattr(pyseccomp.Arch, machine.upper())
    program = pyseccomp.SyscallFilter(pyseccomp.ERRNO(DEFAULT))
    if processor != pyseccomp.system_arch():
        program.remove_arch(pyseccomp.system_arch())
        program.add_arch(processor)
    program.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    # A search tree over the numbers, for kernels that don't remember which calls always pass (before 5.11).
    program.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, 2)
    for rule in rules(counted=counted):
        # libseccomp takes no rule that says what the default says.
        if rule.errno is DEFAULT or not exists(rule.call, machine):
            continue
        program.add_rule_exactly(
            pyseccomp.ALLOW if rule.errno is None else pyseccomp.ERRNO(rule.errno),
            rule.call,
            *(pyseccomp.Arg(i, pyseccomp.MASKED_EQ, *masked) for i, masked in sorted(rule.region.items())),
        )
    with tempfile.TemporaryFile() as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()


def oci(*, counted: bool) -> str:
    """The profile for `--security-opt seccomp=`, one entry a line.

    Calls that are refused with the default answer are named all the same: dockerd 20.10 knows no default but
    EPERM, and a clone3 that is forbidden rather than missing leaves Python unable to start a thread.
    """
    names = defaultdict[tuple[Errno | None, tuple[tuple[int, tuple[int, int]], ...]], list[str]](list)
    for rule in rules(counted=counted):
        names[rule.errno, tuple(sorted(rule.region.items()))].append(rule.call)
    entries = []
    for (errno, region), calls in names.items():
        entry: dict[str, Any] = {"names": sorted(calls)}
        entry |= {"action": "SCMP_ACT_ALLOW"} if errno is None else _error("action", "errnoRet", errno)
        entry["args"] = [
            {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
            for index, (mask, value) in region
        ]
        entries.append(json.dumps(entry))
    head = _error("defaultAction", "defaultErrnoRet", DEFAULT)
    head["archMap"] = [
        {"architecture": f"SCMP_ARCH_{machine.upper()}", "subArchitectures": []} for machine in ARCHITECTURES
    ]
    opening = json.dumps(head, indent=2).removesuffix("\n}")
    return opening + ',\n  "syscalls": [\n    ' + ",\n    ".join(entries) + "\n  ]\n}\n"


def _error(action: str, number: str, errno: Errno) -> dict[str, Any]:
    return {action: "SCMP_ACT_ERRNO", number: int(errno)}


def markdown() -> str:
    """The table as the tables of docs/seccomp.md."""
    refused = [(g.purpose, g.calls, g.errno.name, g.why) for g in REFUSED]
    only = f"only where memory isn't counted: {UNCOUNTED.why}"
    refused.append((UNCOUNTED.purpose, UNCOUNTED.calls, UNCOUNTED.errno.name, only))
    refused += [(r.purpose, tuple(r.refused), r.errno.name, r.why) for r in RESTRICTIONS]
    lines = ["| Refused | Calls | Answer | Why |", "|---|---|---|---|"]
    lines += [f"| {purpose} | {_code(calls)} | {errno} | {why} |" for purpose, calls, errno, why in refused]
    lines += ["", "| Allowed | Calls | For |", "|---|---|---|"]
    lines += [f"| {group.purpose} | {_code(group.calls)} | {group.why} |" for group in ALLOWED]
    return "\n".join(lines) + "\n"


def _code(calls: Sequence[str]) -> str:
    return " ".join(f"`{call}`" for call in calls)
