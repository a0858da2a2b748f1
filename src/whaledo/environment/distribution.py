"""The distribution's package manager: what to type to get a program that whaledo can't bring along itself.

Only looks and composes; `scripts/setup.py` runs the commands. It is found by the program that is there rather
than by the distribution's name, which derivatives change.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

BUBBLEWRAP = "bubblewrap"
PYTHON = "python"


@dataclass(frozen=True, slots=True)
class PackageManager:
    """How one family of distributions installs packages without asking back.

    Attributes:
        program: the command that tells that this family is here.
        install: the command, to which package names are added.
        refresh: the command that fetches the lists of packages; None where installing does it.
        packages: what the family calls the packages that whaledo needs.
    """

    program: str
    install: tuple[str, ...]
    refresh: tuple[str, ...] | None
    packages: Mapping[str, str]


PACKAGE_MANAGERS = (
    PackageManager(
        "apt-get",
        ("apt-get", "install", "-y", "--no-install-recommends"),
        ("apt-get", "update"),
        {BUBBLEWRAP: "bubblewrap", PYTHON: "python3.11"},
    ),
    PackageManager("dnf", ("dnf", "install", "-y"), None, {BUBBLEWRAP: "bubblewrap", PYTHON: "python3.11"}),
    PackageManager("pacman", ("pacman", "-S", "--noconfirm"), ("pacman", "-Sy"), {BUBBLEWRAP: "bubblewrap"}),
    PackageManager(
        "zypper",
        ("zypper", "--non-interactive", "install"),
        ("zypper", "--non-interactive", "refresh"),
        {BUBBLEWRAP: "bubblewrap", PYTHON: "python311"},
    ),
    PackageManager("apk", ("apk", "add"), ("apk", "update"), {BUBBLEWRAP: "bubblewrap"}),
)


def package_manager(which: Callable[[str], str | None] = shutil.which) -> PackageManager | None:
    """The package manager of this machine; None where it is none of those known."""
    return next((manager for manager in PACKAGE_MANAGERS if which(manager.program)), None)


def how_to_install(package: str, manager: PackageManager | None) -> str | None:
    """What this user types for `BUBBLEWRAP` or `PYTHON`; None where the distribution hasn't got it."""
    if manager is None or package not in manager.packages:
        return None
    sudo = () if os.geteuid() == 0 else ("sudo",)
    return shlex.join((*sudo, *manager.install, manager.packages[package]))
