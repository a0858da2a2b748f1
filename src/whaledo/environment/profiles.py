"""The profiles of the runtime, and the lock that pins each one.

A profile is there when its lock is: `environment-core.lock` in the runtime folder makes `core`. Locks are
written by `locking`; here they are only read.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from whaledo.errors import UsageError
from whaledo.resources import runtime_folder

DEFAULT_PROFILE = "core"

_LOCK_NAME = re.compile(r"environment-(\w+)\.lock")
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
_ENTRY = re.compile(r"^[A-Za-z0-9].*\n?(?:^[ \t].*\n?)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """A profile's packages, pinned with their hashes.

    Attributes:
        profile: `core`, `cpu` or `gpu`.
        path: the lock file.
        sha256: digest of the file's bytes, in hexadecimal; it names the environment everywhere.
    """

    profile: str
    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """Name of the environment built from this lock: profile and the digest's first 12 digits."""
        return f"{self.profile}-{self.sha256[:12]}"

    def versions(self) -> dict[str, str]:
        """Distribution name to pinned version, in the lock's order."""
        return pins(self.path.read_text("utf-8"))


def pins(lock: str) -> dict[str, str]:
    """The distributions that the text of a lock pins, and their versions."""
    return dict(_PIN.findall(lock))


def entries(lock: str) -> dict[str, str]:
    """The distributions that the text of a lock pins, each with the lines that pin it and give its hashes."""
    found = _ENTRY.findall(lock)
    return {match[1]: entry for entry in found if (match := _PIN.match(entry))}


def exact(lock: str) -> str:
    """Constraints that hold installers to the very builds of a lock: `torch==2.13.0` would let `2.13.0+cpu` in."""
    return "".join(f"{name}==={version}\n" for name, version in pins(lock).items())


def public_version(version: str) -> str:
    """A version without the part that names a build: `2.13.0` for `2.13.0+cpu`."""
    return version.partition("+")[0]


def profiles() -> tuple[str, ...]:
    """The profiles that have a lock, by name, which is from the smallest to the largest: core, cpu, gpu."""
    matches = (_LOCK_NAME.fullmatch(path.name) for path in sorted(runtime_folder().iterdir()))
    return tuple(match[1] for match in matches if match)


def read_lock(profile: str) -> Lock:
    """Find a profile's lock.

    Raises:
        UsageError: there is no such profile.
    """
    if profile not in (known := profiles()):
        raise UsageError(f"there is no profile `{profile}`", hint=f"the profiles are: {', '.join(known)}")
    path = runtime_folder() / f"environment-{profile}.lock"
    return Lock(profile, path, hashlib.sha256(path.read_bytes()).hexdigest())
