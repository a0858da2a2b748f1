"""Where uv finds the CPU builds of torch, which live on an index of their own.

The `cpu` lock pins them as `2.13.0+cpu`, with their hashes. uv knows the official index by the name of a backend,
so no address stands here. Behind a wall a mirror of it, or a folder with the wheels, takes its place; the hashes
make sure that it is the same file, wherever it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from whaledo.environment.profiles import pins

MIRROR_VARIABLE = "WHALEDO_TORCH_INDEX"
"""The environment variable that names a mirror of the index of torch's CPU builds."""

_BUILD = "+cpu"


def torch_arguments(lock: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What uv is told so that it finds the CPU builds that a lock pins; nothing where it pins none.

    Args:
        lock: the text of a lock.
        environ: the variables that uv is started with.
    """
    builds = {name: version for name, version in pins(lock).items() if version.endswith(_BUILD)}
    if not builds:
        return ()
    if mirror := environ.get(MIRROR_VARIABLE):
        # Every file has its hash in the lock, so that it doesn't matter which of two indexes is asked first.
        return ("--index", mirror, "--index-strategy", "unsafe-best-match")
    folders = [Path(each) for each in environ.get("UV_FIND_LINKS", "").split(",") if each]
    wheels = [path.name for folder in folders if folder.is_dir() for path in folder.glob(f"*{_BUILD}-*.whl")]
    if all(_is_among(name, version, wheels) for name, version in builds.items()):
        return ()
    return ("--torch-backend", _BUILD.removeprefix("+"))


def _is_among(name: str, version: str, wheels: list[str]) -> bool:
    start = f"{re.sub('[-.]', '_', name)}-{version}-"
    return any(wheel.startswith(start) for wheel in wheels)
