"""The one table of system calls: what a walled-in program may ask of the kernel, and why.

Everything else is made from this page by `generate`: the programs that bubblewrap loads, the profile that Docker
and Podman read, and the tables of docs/seccomp.md. A call that isn't named here is answered with ENOSYS, as by a
kernel that is too old to have it: libraries have a way round a call that is missing and none round one that is
forbidden. Only what is known to be dangerous says EPERM. Numbers are the kernel's, not those of the machine that
generates, and hold for x86_64 and aarch64 alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Errno(IntEnum):
    """What a refused call is told, by Linux's numbers."""

    EPERM = 1
    ENOSYS = 38
    EPROTONOSUPPORT = 93
    EAFNOSUPPORT = 97


DEFAULT = Errno.ENOSYS
"""What a call is told that this table doesn't name."""

INT = 0xFFFFFFFF
"""The part of a register that the kernel reads where a call takes an int: a filter that compares all 64 bits
is walked round by setting one of the upper 32."""


@dataclass(frozen=True, slots=True)
class Group:
    """System calls that serve one purpose.

    Attributes:
        purpose: what they are for, a few words.
        why: why honest code needs them, or what is gained by refusing them.
        calls: their names; some exist on one of the two architectures only.
    """

    purpose: str
    why: str
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused(Group):
    """System calls that are refused whatever their arguments say."""

    errno: Errno = Errno.EPERM


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on one argument: cut down to the bits of `mask`, it is (or isn't) one of `values`."""

    argument: int
    values: tuple[int, ...]
    mask: int = INT
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Restriction:
    """A use of allowed calls that is refused.

    Attributes:
        purpose: what is refused, a few words.
        why: what is gained.
        errno: what the caller is told.
        refused: call to conditions; it is refused where all of them hold.
    """

    purpose: str
    why: str
    errno: Errno
    refused: Mapping[str, tuple[Match, ...]]


def is_in(argument: int, *values: int, mask: int = INT) -> Match:
    """The argument is one of `values`."""
    return Match(argument, values, mask)


def not_in(argument: int, *values: int, mask: int = INT) -> Match:
    """The argument is none of `values`."""
    return Match(argument, values, mask, negated=True)


def has_any(argument: int, bits: int) -> Match:
    """At least one of `bits` is set in the argument."""
    return Match(argument, (0,), bits, negated=True)


def _calls(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ALLOWED = (
    Group(
        "reading and writing",
        "files, pipes and sockets, also by position and from several buffers at once",
        _calls("""
            read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek sendfile
            copy_file_range readahead fadvise64 fsync fdatasync sync syncfs sync_file_range
        """),
    ),
    Group(
        "opening files",
        "openat2 is refused on purpose",
        _calls("open openat creat close close_range dup dup2 dup3 fcntl flock pipe pipe2"),
    ),
    Group(
        "looking at files",
        "what Path.stat, os.scandir and shutil.disk_usage ask",
        _calls("""
            stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat
            getdents getdents64 getcwd chdir fchdir getxattr lgetxattr fgetxattr listxattr llistxattr
            flistxattr
        """),
    ),
    Group(
        "changing files",
        "what may be changed is decided by the mounts and the modes, not here",
        _calls("""
            mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink
            symlinkat chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat
            truncate ftruncate fallocate umask setxattr lsetxattr fsetxattr removexattr lremovexattr
            fremovexattr
        """),
    ),
    Group(
        "memory",
        "malloc, numpy.memmap, shared memory; memory protection keys for just-in-time compilers",
        _calls("""
            brk mmap munmap mremap mprotect madvise mincore msync mlock mlock2 munlock mlockall munlockall
            memfd_create pkey_alloc pkey_free pkey_mprotect
        """),
    ),
    Group(
        "processes and threads",
        "subprocess, multiprocessing (fork, spawn, forkserver), threads of BLAS and OpenMP",
        _calls("""
            clone fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill pidfd_open
            pidfd_send_signal set_tid_address gettid getpid getppid getpgid getpgrp setpgid getsid setsid
        """),
    ),
    Group(
        "locks between threads",
        "every mutex, and what glibc starts a thread with",
        _calls("futex futex_waitv set_robust_list get_robust_list membarrier rseq"),
    ),
    Group(
        "signals",
        "handlers, waiting for signals, signals as descriptors",
        _calls("""
            rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo
            rt_tgsigqueueinfo rt_sigsuspend sigaltstack signalfd signalfd4 pause restart_syscall
        """),
    ),
    Group(
        "time",
        "reading clocks, sleeping, timers; setting a clock is refused",
        _calls("""
            time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep times alarm getitimer
            setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create
            timerfd_settime timerfd_gettime
        """),
    ),
    Group(
        "waiting for events",
        "asyncio, selectors, file watchers",
        _calls("""
            select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
            epoll_pwait2 eventfd eventfd2 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
        """),
    ),
    Group(
        "sockets",
        "multiprocessing managers and local servers talk over loopback and Unix sockets",
        _calls("""
            socket socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt
            setsockopt sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
        """),
    ),
    Group(
        "System V and POSIX message queues, semaphores and shared memory",
        "private to the run's own IPC namespace; MPI and X11 toolkits use them",
        _calls("""
            shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open
            mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
        """),
    ),
    Group(
        "scheduling",
        "thread pools pin and count CPUs; a program may lower its own priority",
        _calls("""
            sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler
            sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
            sched_getattr sched_setattr getpriority setpriority ioprio_get ioprio_set getcpu
        """),
    ),
    Group(
        "who and where am I",
        "ids, limits, usage; changing ids leads nowhere without capabilities",
        _calls("""
            getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid
            setresuid setresgid setfsuid setfsgid setgroups capget capset getrlimit setrlimit prlimit64
            getrusage sysinfo uname
        """),
    ),
    Group(
        "the program's own settings",
        "names of threads, matrix registers (oneDNN), terminals, filters on top of this one",
        _calls("prctl arch_prctl seccomp personality ioctl getrandom"),
    ),
)

REFUSED = (
    Refused(
        "namespaces and roots",
        "whoever makes a user namespace has every capability in it, and most of the kernel's doors open",
        _calls("unshare setns pivot_root chroot"),
    ),
    Refused(
        "mounting",
        "what a run sees is settled before it starts; the old interface and the new one",
        _calls("""
            mount umount2 open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr swapon swapoff
            quotactl quotactl_fd
        """),
    ),
    Refused(
        "other processes' memory and descriptors",
        "a run has no business in a process that it didn't write the code of",
        _calls("ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd"),
    ),
    Refused(
        "keyrings",
        "the session keyring of whoever started the run is inherited and can be read",
        _calls("add_key request_key keyctl"),
    ),
    Refused(
        "io_uring",
        "does what system calls do without being seen by a filter, and opens sockets of any family",
        _calls("io_uring_setup io_uring_enter io_uring_register"),
    ),
    Refused(
        "programs and probes inside the kernel",
        "a long row of privilege escalations, and timings of everything else on the machine",
        _calls("bpf perf_event_open"),
    ),
    Refused(
        "page faults served by the program",
        "stops the kernel in the middle of its work: what exploits win their races with",
        _calls("userfaultfd"),
    ),
    Refused(
        "memory that nothing else can see",
        "taken out of the kernel's own map, so that nobody can examine what it holds",
        _calls("memfd_secret"),
    ),
    Refused(
        "files by handle",
        "opens files without walking a path, so past everything that mounts hide",
        _calls("name_to_handle_at open_by_handle_at"),
    ),
    Refused(
        "the machine",
        "modules, another kernel, power, accounting, the kernel's log, ports, names: the operator's alone",
        _calls("""
            init_module finit_module delete_module kexec_load kexec_file_load reboot acct syslog iopl ioperm
            vhangup sethostname setdomainname modify_ldt
        """),
    ),
    Refused(
        "the clock",
        "there is one for everybody on the machine",
        _calls("clock_settime settimeofday adjtimex clock_adjtime"),
    ),
    Refused(
        "calls whose arguments lie in memory",
        "a filter sees registers only and can't tell what is asked; glibc turns to clone and openat",
        _calls("clone3 openat2"),
        Errno.ENOSYS,
    ),
    Refused(
        "moving pages instead of bytes",
        "hand pages of files that may only be read to other parts of the kernel, which have written to them",
        _calls("splice tee vmsplice"),
        Errno.ENOSYS,
    ),
    Refused(
        "memory policy",
        "moves pages between the machine's memory banks, at everybody's cost",
        _calls("mbind set_mempolicy get_mempolicy set_mempolicy_home_node migrate_pages move_pages"),
        Errno.ENOSYS,
    ),
)

UNCOUNTED = Refused(
    "memory that nobody need hold",
    "files without a name wait in sockets, System V's segments have only a number: looking at processes misses both",
    _calls("memfd_create shmget semget msgget"),
    Errno.ENOSYS,
)
"""Refused on top of all others where no control group counts a run's memory, so that it's only looked at."""

UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
STREAM, DGRAM, TYPE_BITS = 1, 2, 0xF
ANY_PROTOCOL, TCP, UDP, ROUTE = 0, 6, 17, 0

NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET; NEWTIME isn't a flag of clone."""

SET_ID = 0o6000
CREATES = 0o100 | 0o20000000
"""O_CREAT, and the bit of O_TMPFILE that O_DIRECTORY doesn't share; without either, open ignores the mode
and the register holds whatever was in it."""

FILE_TYPE, CHARACTER_DEVICE, BLOCK_DEVICE = 0o170000, 0o020000, 0o060000
TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD = 0x5412, 0x541C, 0x541D, 0x5423
PER_LINUX, ASK_PERSONALITY = 0, 0xFFFFFFFF

RESTRICTIONS = (
    Restriction(
        "socket families",
        "all but UNIX, INET, INET6 and NETLINK: no network namespace closes vsock, which reaches the hypervisor, "
        "or AF_ALG, which has written to files that may only be read; a rare family loads its kernel module",
        Errno.EAFNOSUPPORT,
        {"socket": (not_in(0, UNIX, INET, INET6, NETLINK),), "socketpair": (not_in(0, UNIX),)},
    ),
    Restriction(
        "socket protocols",
        "all but TCP and UDP: SCTP, MPTCP, SMC and the like bring code that nothing here needs",
        Errno.EPROTONOSUPPORT,
        {"socket": (is_in(0, INET, INET6), not_in(2, ANY_PROTOCOL, TCP, UDP))},
    ),
    Restriction(
        "raw sockets",
        "and all other types that are neither streams nor datagrams",
        Errno.EPROTONOSUPPORT,
        {"socket": (is_in(0, INET, INET6), not_in(1, STREAM, DGRAM, mask=TYPE_BITS))},
    ),
    Restriction(
        "netlink other than ROUTE",
        "ROUTE lists the run's own interfaces and addresses; the others configure the kernel",
        Errno.EPROTONOSUPPORT,
        {"socket": (is_in(0, NETLINK), not_in(2, ROUTE))},
    ),
    Restriction(
        "clone into a new namespace",
        "as unshare",
        Errno.EPERM,
        {"clone": (has_any(0, NEW_NAMESPACE),)},
    ),
    Restriction(
        "set-user-ID and set-group-ID",
        "a file that a run leaves behind would lend its owner's rights to whoever starts it",
        Errno.EPERM,
        {
            "chmod": (has_any(1, SET_ID),),
            "fchmod": (has_any(1, SET_ID),),
            "fchmodat": (has_any(2, SET_ID),),
            "mkdir": (has_any(1, SET_ID),),
            "mkdirat": (has_any(2, SET_ID),),
            "mknod": (has_any(1, SET_ID),),
            "mknodat": (has_any(2, SET_ID),),
            "creat": (has_any(1, SET_ID),),
            "open": (has_any(1, CREATES), has_any(2, SET_ID)),
            "openat": (has_any(2, CREATES), has_any(3, SET_ID)),
        },
    ),
    Restriction(
        "device files",
        "pipes, sockets and plain files may be made with mknod, devices not",
        Errno.EPERM,
        {
            "mknod": (is_in(1, CHARACTER_DEVICE, BLOCK_DEVICE, mask=FILE_TYPE),),
            "mknodat": (is_in(2, CHARACTER_DEVICE, BLOCK_DEVICE, mask=FILE_TYPE),),
        },
    ),
    Restriction(
        "typing into terminals",
        "TIOCSTI and TIOCLINUX put text where the operator's shell reads it; TIOCSETD loads the kernel module of "
        "a line discipline, TIOCCONS takes the console's output",
        Errno.EPERM,
        {"ioctl": (is_in(1, TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD),)},
    ),
    Restriction(
        "other personalities",
        "they turn off address randomisation and make all readable memory executable",
        Errno.ENOSYS,
        {"personality": (not_in(0, PER_LINUX, ASK_PERSONALITY),)},
    ),
)
