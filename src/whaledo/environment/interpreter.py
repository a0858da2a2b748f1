"""The Python that environments are made from: exactly the contract's version, where a run can reach it.

Prefers the distribution's own, because everybody may read /usr. One below root's home folder would work for
root and fail for the user that root's runs drop to, so it isn't taken. Nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whaledo.environment.access import closed_folder
from whaledo.environment.distribution import PYTHON, how_to_install, package_manager
from whaledo.environment.uv import managed_python
from whaledo.errors import MachineError

VERSION = "3.11"
"""The contract's Python: locks are resolved for it, and submissions may rely on it."""

_NAME = f"python{VERSION}"
_ASK = """
import json, sys
full = ".".join(map(str, sys.version_info[:3]))
print(json.dumps([sys.implementation.name, full, sys.base_prefix, sys._base_executable]))
"""
_ANSWER_WITHIN_S = 20


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An installed Python, not that of a virtual environment.

    Attributes:
        executable: its program, without links.
        prefix: the folder that it is installed in: `/usr` for the distribution's.
        version: the full version, `3.11.2`.
    """

    executable: Path
    prefix: Path
    version: str


def find_interpreter() -> Interpreter:
    """The Python to make environments from.

    Raises:
        MachineError: there is none; says what was found, why it won't do, and what to type.
    """
    refused: list[str] = []
    for candidate in _candidates():
        found = examine(candidate, for_others=os.geteuid() == 0)
        if isinstance(found, Interpreter):
            return found
        if found not in refused:
            refused.append(found)
    found_only = f" (found: {'; '.join(refused)})" if refused else ""
    raise MachineError(
        f"submissions run on Python {VERSION}, and this machine has none for them{found_only}",
        hint=_how_to_get_it(),
    )


def _candidates() -> Iterator[Path]:
    yield from (path for folder in ("/usr/bin", "/usr/local/bin") if (path := Path(folder, _NAME)).exists())
    if sys.version_info[:2] == tuple(map(int, VERSION.split("."))):
        yield Path(sys.executable)
    if on_path := shutil.which(_NAME):
        yield Path(on_path)
    if managed := managed_python(VERSION):
        yield managed


def examine(program: Path, *, for_others: bool) -> Interpreter | str:
    """Ask a Python what it is.

    Args:
        program: the Python, or a link, a virtual environment's, or a shim that starts it.
        for_others: whether users other than the present one have to be able to start it.

    Returns:
        The interpreter behind it, or words that say why it won't do.
    """
    command = [str(program), "-I", "-S", "-c", _ASK]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_ANSWER_WITHIN_S, check=True).stdout
        implementation, version, prefix, executable = json.loads(answer)
    except (OSError, subprocess.SubprocessError, ValueError):
        return f"{program}, which doesn't start"
    if implementation != "cpython" or not version.startswith(f"{VERSION}."):
        return f"{program}, which is {implementation} {version}"
    interpreter = Interpreter(Path(executable).resolve(), Path(prefix).resolve(), version)
    closed = closed_folder(interpreter.executable.parent) if for_others else None
    if closed is not None:
        return f"{interpreter.executable}, which other users can't reach because of the mode of {closed}"
    return interpreter


def _how_to_get_it() -> str:
    root = os.geteuid() == 0
    # Where uv puts it for root otherwise, below /root, no submission could reach it.
    place = "UV_PYTHON_INSTALL_DIR=/opt/python UV_PYTHON_BIN_DIR=/usr/local/bin " if root else ""
    with_uv = f"`{place}uv python install {VERSION}`"
    command = how_to_install(PYTHON, package_manager())
    return f"type `{command}`, or where there is no such package {with_uv}" if command else f"type {with_uv}"
