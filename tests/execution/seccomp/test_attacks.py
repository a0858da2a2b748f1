"""Attacks on the kernel by root with every capability inside the sandbox: each is refused, with its own errno.

Each is also tried without the filters, where it has to get through: what the kernel of this host doesn't have at
all proves nothing, and is skipped.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable

import pytest

from whaledo.execution.seccomp.table import REFUSED

Walled = Callable[..., "subprocess.CompletedProcess[str]"]

EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT = "EPERM", "ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT"

SOCKETS = {
    "vsock to the hypervisor": ("call('socket', 40, 1)", EAFNOSUPPORT),
    "kernel cryptography": ("call('socket', 38, 5)", EAFNOSUPPORT),
    "packets off the wire": ("call('socket', 17, 3)", EAFNOSUPPORT),
    "kernel connection multiplexer": ("call('socket', 41, 5)", EAFNOSUPPORT),
    "bluetooth": ("call('socket', 31, 3)", EAFNOSUPPORT),
    "family behind a bit that the kernel drops": ("call('socket', 40 | ABOVE, 1)", EAFNOSUPPORT),
    "raw IPv4": ("call('socket', 2, 3, 1)", EPROTONOSUPPORT),
    "raw IPv6": ("call('socket', 10, 3, 58)", EPROTONOSUPPORT),
    "raw, with flags in the type": ("call('socket', 2, 3 | 0o2000000, 1)", EPROTONOSUPPORT),
    "multipath TCP": ("call('socket', 2, 1, 262)", EPROTONOSUPPORT),
    "SCTP": ("call('socket', 2, 1, 132)", EPROTONOSUPPORT),
    "netlink to netfilter": ("call('socket', 16, 3, 12)", EPROTONOSUPPORT),
    "netlink to generic families": ("call('socket', 16, 3, 16)", EPROTONOSUPPORT),
    "pair of another family": ("call('socketpair', 2, 1, 0, buffer)", EAFNOSUPPORT),
}

NAMESPACES = {
    "new user namespace": ("call('unshare', 0x10000000)", EPERM),
    "new mount namespace": ("call('unshare', 0x20000)", EPERM),
    "new time namespace": ("call('unshare', 0x80)", EPERM),
    "child in a user namespace": ("clone(0x10000000)", EPERM),
    "child in a network namespace": ("clone(0x40000000)", EPERM),
    "child in a pid namespace": ("clone(0x20000000)", EPERM),
    "namespace behind a bit that the kernel drops": ("clone(0x10000000 | ABOVE)", EPERM),
    "clone3": ("call('clone3', buffer, 0)", ENOSYS),
    "joining a namespace": ("call('setns', os.open('/proc/self/ns/uts', 0), 0)", EPERM),
    "chroot": ("call('chroot', b'/tmp')", EPERM),
    "pivot_root": ("call('pivot_root', b'/nowhere', b'/nowhere')", EPERM),
    "mount": ("call('mount', b'none', b'/tmp', b'tmpfs')", EPERM),
    "unmount": ("call('umount2', b'/tmp', 2)", EPERM),
    "mount, new interface": ("call('fsopen', b'tmpfs')", EPERM),
    "a tree as a descriptor": ("call('open_tree', -100, b'/usr', 1)", EPERM),
    "turning a mount writable": ("call('mount_setattr', -100, b'/usr', 0, buffer, 32)", EPERM),
}

KERNEL = {
    "io_uring": ("call('io_uring_setup', 1, buffer)", EPERM),
    "user-served page faults": ("call('userfaultfd', 1)", EPERM),
    "secret memory": ("call('memfd_secret', 0)", EPERM),
    "BPF": ("call('bpf', 999, buffer, 8)", EPERM),
    "performance counters": ("call('perf_event_open', 0, 0, -1, -1)", EPERM),
    "own keyring": ("call('keyctl', 0, -3, 1)", EPERM),
    "adding a key": ("call('add_key', b'user', b'whale', b'x', 1, -2)", EPERM),
    "asking for a key": ("call('request_key', b'user', b'whale', 0, -2)", EPERM),
    "being traced": ("call('ptrace', 0)", EPERM),
    "reading a process": ("call('process_vm_readv', os.getpid())", EPERM),
    "writing a process": ("call('process_vm_writev', os.getpid())", EPERM),
    "comparing processes": ("call('kcmp', os.getpid(), os.getpid(), 1)", EPERM),
    "a process's descriptor": ("call('pidfd_getfd', os.pidfd_open(os.getpid()), 1)", EPERM),
    "file handles": ("call('name_to_handle_at', -100, b'/tmp', buffer, buffer, 0)", EPERM),
    "splice": ("call('splice', full_pipe(), 0, os.pipe()[1], 0, 4)", ENOSYS),
    "tee": ("call('tee', full_pipe(), os.pipe()[1], 4)", ENOSYS),
    "vmsplice": ("call('vmsplice', os.pipe()[1])", ENOSYS),
    "memory policy": ("call('get_mempolicy')", ENOSYS),
    "openat2": ("call('openat2', -100, b'/usr', buffer, 24)", ENOSYS),
    "unpredictable addresses off": ("call('personality', 0x40000)", ENOSYS),
    "personality behind a bit that the kernel drops": ("call('personality', 0x40000 | ABOVE)", ENOSYS),
    "reading the clock's discipline": ("call('adjtimex', buffer)", EPERM),
    "host name": ("call('sethostname', b'whale', 5)", EPERM),
    "quota": ("call('quotactl', 0x80000100)", EPERM),
    "a call of a kernel newer than the table": ("call(452, -100, b'/tmp', 0o755)", ENOSYS),
}

FILES = {
    "chmod u+s": ("attempt(os.chmod, '/tmp', 0o4755)", EPERM),
    "chmod g+s": ("attempt(os.chmod, '/tmp', 0o2755)", EPERM),
    "chmod behind a bit that the kernel drops": ("call('fchmodat', -100, b'/tmp', 0o4755 | ABOVE)", EPERM),
    "fchmod": ("attempt(os.fchmod, new_file(), 0o6755)", EPERM),
    "fchmodat": ("call('fchmodat', -100, b'/tmp', 0o4755)", EPERM),
    "new file with O_CREAT": ("attempt(new_file, 0o4755)", EPERM),
    "new file with O_TMPFILE": ("attempt(os.open, '/tmp', os.O_TMPFILE | os.O_RDWR, 0o4755)", EPERM),
    "mkdir": ("attempt(os.mkdir, new(), 0o2755)", EPERM),
    "mknod of a file": ("attempt(os.mknod, new(), 0o104755)", EPERM),
    "mknod of a device": ("attempt(os.mknod, new(), 0o020666, 0)", EPERM),
}

TERMINALS = {
    "typing into the terminal": ("terminal(0x5412, b'x')", EPERM),
    "typing behind a bit that the kernel drops": ("terminal(0x5412 | ABOVE, b'x')", EPERM),
    "selection of the console": ("terminal(0x541C, b'x')", EPERM),
    "line discipline": ("terminal(0x5423, bytes(4))", EPERM),
}

X86_64 = {
    "32-bit calls": ("machine_code(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')", "killed by SIGSYS"),
    "x32 calls": ("in_child(lambda: call(0x40000000 | 39))", "killed by SIGSYS"),
    "legacy open with O_CREAT": ("call('open', new(), 0o101, 0o4755)", EPERM),
    "legacy creat": ("call('creat', new(), 0o4755)", EPERM),
    "legacy chmod": ("call('chmod', b'/tmp', 0o4755)", EPERM),
    "legacy mkdir": ("call('mkdir', new(), 0o4755)", EPERM),
    "legacy mknod": ("call('mknod', new(), 0o4755)", EPERM),
    "segments": ("call('modify_ldt')", EPERM),
}

ATTACKS = SOCKETS | NAMESPACES | KERNEL | FILES | TERMINALS
if platform.machine() == "x86_64":
    ATTACKS |= X86_64


PROGRAM = """
import json, os
from attempt import *
attacks = {attacks}
print(json.dumps({{name: in_child(lambda: eval(attack)) for name, attack in attacks.items()}}))
"""


@pytest.fixture(scope="module")
def answers(walled: Walled) -> dict[bool, dict[str, str]]:
    """What each attack came to, with the filters (True) and without."""
    program = PROGRAM.format(attacks={name: attack for name, (attack, _) in ATTACKS.items()})
    return {filtered: tried(walled, program, filtered) for filtered in (True, False)}


def tried(walled: Walled, program: str, filtered: bool) -> dict[str, str]:
    """The answers that a program prints as JSON."""
    done = walled(program, filtered=filtered, capable=True)
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


REACHED_THE_KERNEL = {
    "pair of another family": "ENOTSUP",
    "pivot_root": "ENOENT",
    "clone3": "EINVAL",
    "BPF": "EINVAL",
    "performance counters": "EFAULT",
    "asking for a key": "ENOKEY",
    "file handles": "EOVERFLOW",
    "selection of the console": "ENOTTY",
    "x32 calls": "ENOSYS",
}
"""What the kernel says to an attack that gets there but asks for something impossible; others succeed."""

REFUSED_BY_THE_KERNEL = {"ENOSYS", "EIO"}
"""What a kernel says that was built without a call, or that lets nobody type into terminals."""


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_by_the_filter_and_by_nothing_else(
    name: str, answers: dict[bool, dict[str, str]]
) -> None:
    filtered, bare = answers[True][name], answers[False][name]
    assert filtered == ATTACKS[name][1]
    if bare != REACHED_THE_KERNEL.get(name, "ok"):
        assert bare in {filtered, *REFUSED_BY_THE_KERNEL}
        pytest.skip(f"this kernel says {bare} by itself")


SWEEP = """
import json
from attempt import NUMBERS, call, in_child
names = {names}
print(json.dumps({{name: in_child(lambda: call(name, *[-1] * 6)) for name in names if name in NUMBERS}}))
"""

SAID_BY_THE_KERNEL_TOO = {"swapoff", "acct", "syslog", "vhangup"}
"""Calls that want a capability of the host, which nobody inside can have, before they look at anything."""


def test_every_refused_call_of_the_table_is_refused(walled: Walled) -> None:
    promised = {call: refused.errno.name for refused in REFUSED for call in refused.calls}
    program = SWEEP.format(names=list(promised))
    answers, bare = (tried(walled, program, filtered) for filtered in (True, False))
    assert answers == {call: promised[call] for call in answers}
    assert {call for call in bare if bare[call] == answers[call]} <= SAID_BY_THE_KERNEL_TOO
