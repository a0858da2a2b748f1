"""uv, the program that builds environments: finding it, starting it, and saying in words why it failed.

It gets a person's proxy, certificate and index settings, pip's included, and none of the settings that would
change what is installed. Its closing lines are read here only to choose a hint; they are always shown.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from whaledo.errors import MachineError

PIP_SETTINGS = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_PROXY": "ALL_PROXY",
}
"""What people have set for pip, and what uv calls the same; used where uv's own isn't set."""

_KEPT_SETTINGS = re.compile(
    r"UV_(CACHE_DIR|CONFIG_FILE|CONCURRENT_\w+|CREDENTIALS_DIR|(DEFAULT_|EXTRA_)?INDEX(_\w+)?|FIND_LINKS|"
    r"HTTP_\w+|INSECURE_HOST|KEYRING_PROVIDER|NATIVE_TLS|OFFLINE|PYTHON_INSTALL_DIR|REQUEST_TIMEOUT|SYSTEM_CERTS)"
)
_DROPPED = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH")
_SEPARATED_BY_SPACES_FOR_PIP = ("PIP_FIND_LINKS",)

_KEPT_LINES = 12
_NOT_SHOWN = ("Using Python", " + ")

_NO_BUILD = "that package has no build for this machine's processor or C library"
HINTS = (
    (
        "No space left on device",
        "make room on that disk, or set WHALEDO_HOME and UV_CACHE_DIR to folders on another",
    ),
    ("Hash mismatch", "the index serves another file than the one that was locked: don't use it, report it"),
    (
        "invalid peer certificate",
        "where a proxy has a certificate authority of its own, set SSL_CERT_FILE to the file with its certificate",
    ),
    (
        "network was disabled",
        "uv is kept offline by UV_OFFLINE, and its cache lacks that package: go online once",
    ),
    (
        "401 Unauthorized",
        "the index wants a name and a password: put them into its address, or into ~/.netrc",
    ),
    ("403 Forbidden", "the index, or a proxy before it, refuses to serve that package"),
    ("no wheels with a matching", _NO_BUILD),
    ("has no usable wheels", _NO_BUILD),
    ("there is no version of", "the index lacks that version: if it is a mirror, it may lag behind"),
    (
        "not found in the package registry",
        "the index lacks that package: look at UV_DEFAULT_INDEX or PIP_INDEX_URL",
    ),
    ("Permission denied", "the file belongs to another user: give it back with chown, or set WHALEDO_HOME"),
    (
        "/whl/cpu",
        "the index of torch's CPU builds can't be reached: name a mirror of it in WHALEDO_TORCH_INDEX, or a folder "
        "with those wheels in UV_FIND_LINKS",
    ),
    (
        "Failed to fetch",
        "is this machine online? Behind a proxy set HTTPS_PROXY; to use a mirror set UV_DEFAULT_INDEX",
    ),
)
"""What uv says, and what to do about it; the first that fits is shown."""


def find_uv() -> Path:
    """The uv beside the running Python, else the one on PATH.

    Raises:
        MachineError: there is none.
    """
    beside = Path(sys.executable).parent / "uv"
    if os.access(beside, os.X_OK):
        return beside
    if on_path := shutil.which("uv"):
        return Path(on_path)
    raise MachineError(
        "uv, which builds the environments, isn't here",
        hint=f"type `{sys.executable} -m pip install uv`, or in a checkout `make setup`",
    )


def managed_python(version: str) -> Path | None:
    """A Python that uv installed for this user; None where there is none, or no uv."""
    try:
        command = [str(find_uv()), "python", "find", "--managed-python", "--system", version]
    except MachineError:
        return None
    found = subprocess.run(
        command, env=uv_environment(os.environ), capture_output=True, text=True, check=False
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables to start uv with.

    Args:
        environ: those of whaledo.

    Returns:
        The same, without settings that would change what is installed or where, and with `PIP_SETTINGS`.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _DROPPED and (not name.startswith("UV_") or _KEPT_SETTINGS.fullmatch(name))
    }
    for pip_name, uv_name in PIP_SETTINGS.items():
        if (value := environ.get(pip_name)) and uv_name not in kept:
            kept[uv_name] = ",".join(value.split()) if pip_name in _SEPARATED_BY_SPACES_FOR_PIP else value
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}


def run_uv(
    arguments: Sequence[str | Path],
    *,
    folder: Path,
    on_output: Callable[[str], None],
    doing: str,
    keep_open: Sequence[int] = (),
    uv: Path | None = None,
) -> None:
    """Run uv to its end.

    Args:
        arguments: what comes after `uv`.
        folder: its working directory; no project's settings are read from elsewhere.
        on_output: called with each line that it prints, but for the list of what it installed.
        doing: what it is asked to do, for the error: "build core".
        keep_open: file descriptors to hand on, so that locks outlive us while uv does.
        uv: the program, where it isn't that of `find_uv`.

    Raises:
        MachineError: uv failed; with its last lines and a hint.
    """
    command = [uv or find_uv(), "--no-progress", *arguments]
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=uv_environment(os.environ),
        umask=0o022,
        pass_fds=keep_open,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                if not line.startswith(_NOT_SHOWN):
                    on_output(line.rstrip())
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise failure(doing, process.returncode, list(last))


def failure(doing: str, status: int, last: Sequence[str]) -> MachineError:
    """The error for a person, made from what uv printed last."""
    start = next((i for i, line in enumerate(last) if line.startswith("error:")), 0)
    said = "\n".join(f"  {line}" for line in last[start:] if line)
    hint = next((hint for words, hint in HINTS if words in said), "")
    what = f"uv was killed by signal {-status}" if status < 0 else "uv failed"
    return MachineError(f"couldn't {doing}: {what}" + (f":\n{said}" if said else ""), hint=hint)
