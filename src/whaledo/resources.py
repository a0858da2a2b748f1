"""Where whaledo's own files lie: those it ships, and those it keeps between commands.

In a checkout the locks and the quickstart are the folders that a competitor sees and edits; in an installed
wheel they are copies inside the package. Everything else asks here and never looks at `__file__` itself.
"""

from __future__ import annotations

import os
from pathlib import Path

from whaledo.errors import MachineError

HOME_VARIABLE = "WHALEDO_HOME"
"""The environment variable that moves `state_folder()`."""

SYSTEM_STATE = Path("/var/lib/whaledo")
"""Root's state: outside /root, because the unprivileged user that runs submissions can't enter that."""

_PACKAGE = Path(__file__).resolve().parent


def repository_root() -> Path | None:
    """The checkout that this package runs from; None when it was installed as a wheel."""
    root = _PACKAGE.parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "runtime").is_dir() else None


def runtime_folder() -> Path:
    """The folder with the runtime's sources, locks and tests (`runtime/` of a checkout).

    Raises:
        MachineError: the installation lacks it.
    """
    return _shipped("runtime", "_runtime")


def quickstart_folder() -> Path:
    """The folder of the quickstart submission (`submission_quickstart/` of a checkout).

    Raises:
        MachineError: the installation lacks it.
    """
    return _shipped("submission_quickstart", "_examples/quickstart")


def _shipped(in_checkout: str, in_wheel: str) -> Path:
    root = repository_root()
    folder = _PACKAGE / in_wheel if root is None else root / in_checkout
    if not folder.is_dir():
        raise MachineError(f"whaledo is installed without {folder}", hint="install whaledo again")
    return folder


def state_folder() -> Path:
    """Where whaledo keeps what it builds: `$WHALEDO_HOME`, else by user; not created here.

    Raises:
        MachineError: this user has no home folder, and `WHALEDO_HOME` isn't set.
    """
    if given := os.environ.get(HOME_VARIABLE):
        return Path(given).absolute()
    if os.geteuid() == 0:
        return SYSTEM_STATE
    import platformdirs

    try:
        folder = platformdirs.user_cache_path("whaledo")
    except RuntimeError:  # older platformdirs answer with a relative path instead
        folder = Path()
    if not folder.is_absolute():
        raise MachineError(
            f"there is nowhere to keep built environments: user {os.geteuid()} has no home folder",
            hint=f"set {HOME_VARIABLE} to a folder that this user may write to",
        )
    return folder
