"""Compiling the locks of all profiles from their sources, in an order that lets them only agree.

`gpu` is resolved first, and what it chose holds for the others: `cpu` is the same packages without those that
only CUDA needs, `core` a part of them. The CPU builds of torch are not on the package index but on one of their
own, which many networks can't reach; so their pins are kept in `torch-cpu.lock`, decide torch's version for
all, and take the place of the CUDA builds in `cpu`. A lock comes out the same wherever it is compiled.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from whaledo.environment.catalogue import CATALOGUE, PLATFORM, catalogue_text, complete, read_catalogue
from whaledo.environment.changes import Change, changes
from whaledo.environment.interpreter import VERSION
from whaledo.environment.profiles import entries, exact, pins, public_version
from whaledo.environment.uv import run_uv
from whaledo.errors import MachineError

TORCH_LOCK = "torch-cpu.lock"
"""The one lock that isn't compiled here: pins and hashes of torch's CPU builds."""

_ONLY_FOR_CUDA = re.compile(r"(nvidia|cuda)-.+|triton")
_FLAGS = ("--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet")
_FOR = ("--python-version", VERSION, "--python-platform", PLATFORM, "--only-binary", ":all:")


def lock_name(profile: str) -> str:
    """Name of a profile's lock in the runtime folder."""
    return f"environment-{profile}.lock"


def torch_entries(folder: Path) -> dict[str, str]:
    """The entries of torch's CPU builds in a runtime folder."""
    path = folder / TORCH_LOCK
    return entries(path.read_text("utf-8")) if path.is_file() else {}


def compile_locks(
    folder: Path, *, changed: Mapping[str, str] | None = None, upgrade: bool = False
) -> dict[str, str]:
    """Compile every profile; nothing is written.

    Args:
        folder: a runtime folder. The versions that its present locks pin are kept where they still fit.
        changed: sources to take with this text instead, by name.
        upgrade: take the newest versions instead.

    Returns:
        The text of each lock, by profile.

    Raises:
        MachineError: uv failed, or found no versions that fit together; with its reason.
    """
    with tempfile.TemporaryDirectory(prefix="whaledo-lock-") as place:
        scratch = Path(place)
        for path in (*folder.glob("*.in"), *folder.glob("*.lock")):
            shutil.copy(path, scratch)
        for name, text in (changed or {}).items():
            (scratch / name).write_text(text, "utf-8")
        torch = torch_entries(folder)
        gpu = _compile(scratch, "gpu", _without_builds(torch.values()), (), upgrade)
        cuda = [name for name in pins(gpu) if _ONLY_FOR_CUDA.fullmatch(name)]
        cpu = entries(_compile(scratch, "cpu", exact(gpu), cuda, upgrade))
        cpu |= {name: entry for name, entry in torch.items() if name in cpu}
        core = _compile(scratch, "core", exact(gpu), (), upgrade)
    return {"core": core, "cpu": "".join(cpu.values()), "gpu": gpu}


def _without_builds(pinned: Iterable[str]) -> str:
    """Constraints that hold these packages to their public versions."""
    versions = pins("".join(pinned))
    return "".join(f"{name}==={public_version(version)}\n" for name, version in versions.items())


def _compile(folder: Path, profile: str, constraints: str, excluded: Iterable[str], upgrade: bool) -> str:
    (folder / "constraints.txt").write_text(constraints, "utf-8")
    (folder / "excluded.txt").write_text("\n".join([*excluded, ""]), "utf-8")
    within = ("--constraints", "constraints.txt", "--excludes", "excluded.txt")
    files = (f"environment-{profile}.in", "--output-file", lock_name(profile))
    newest = ("--upgrade",) if upgrade else ()
    run_uv(
        ("pip", "compile", *files, *_FOR, *_FLAGS, *within, *newest),
        folder=folder,
        on_output=lambda _: None,
        doing=f"compile the profile {profile}",
    )
    return (folder / lock_name(profile)).read_text("utf-8")


def lock_all(
    folder: Path, *, upgrade: bool = False, on_output: Callable[[str], None] = lambda _: None
) -> dict[str, tuple[Change, ...]]:
    """Compile every profile of a runtime folder, and write the locks and the catalogue: all of them, or none.

    Returns:
        What moved, by profile.

    Raises:
        MachineError: a profile can't be compiled, a new package can't be fetched, or a file can't be written.
    """
    locks = compile_locks(folder, upgrade=upgrade)
    known = complete(read_catalogue(folder), locks.values(), on_output)
    moved = moves(folder, locks)
    replace_files(folder, files_of(locks, catalogue_text(known)))
    return moved


def moves(folder: Path, locks: Mapping[str, str]) -> dict[str, tuple[Change, ...]]:
    """What new texts of locks move, by profile, compared with those that the folder has."""
    paths = {profile: folder / lock_name(profile) for profile in locks}
    before = {name: pins(path.read_text("utf-8")) if path.is_file() else {} for name, path in paths.items()}
    return {profile: changes(before[profile], pins(lock)) for profile, lock in locks.items()}


def files_of(locks: Mapping[str, str], catalogue: str) -> dict[str, str]:
    """What compiling makes, as texts by file name."""
    return {**{lock_name(profile): text for profile, text in locks.items()}, CATALOGUE: catalogue}


def replace_files(folder: Path, files: Mapping[str, str]) -> None:
    """Give files of a folder these texts: every one, or where one can't be written, none.

    Raises:
        MachineError: one can't be written.
    """
    before = {name: path.read_bytes() for name in files if (path := folder / name).is_file()}
    replaced: list[str] = []
    try:
        for name, text in files.items():
            (folder / f".{name}.new").write_text(text, "utf-8")
        for name in files:
            (folder / f".{name}.new").replace(folder / name)
            replaced.append(name)
    except OSError as error:
        for name in replaced:
            if name in before:
                (folder / name).write_bytes(before[name])
            else:
                (folder / name).unlink()
        raise MachineError(
            f"couldn't write the locks: {error}", hint=f"may this user write to {folder}?"
        ) from error
    finally:
        for name in files:
            (folder / f".{name}.new").unlink(missing_ok=True)
