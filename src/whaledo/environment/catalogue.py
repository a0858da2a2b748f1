"""What is known of every locked package without installing it: import names, size, licence.

`runtime/packages.json` is made along with the locks, by installing what is new in them into a folder that is
thrown away: most wheels name their imports nowhere else. Packages are told apart by their public version,
because the builds of one version (`2.13.0`, `2.13.0+cpu`) are imported by the same names.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whaledo.environment.installed import Package, imports_of, normalised
from whaledo.environment.interpreter import find_interpreter
from whaledo.environment.profiles import entries, exact, pins, public_version
from whaledo.environment.uv import run_uv
from whaledo.resources import runtime_folder, state_folder

if TYPE_CHECKING:
    from importlib.metadata import Distribution

CATALOGUE = "packages.json"
PLATFORM = "x86_64-manylinux_2_28"
"""The machines that locks are made for: Linux on x86_64, glibc 2.28 or newer."""

_LONGEST_LICENCE = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one version of a package.

    Attributes:
        name: the distribution's name, in lower case with dashes.
        version: its public version.
        imports: the top-level names that it lets one import.
        size_bytes: what it takes on disk, before it is compiled to bytecode.
        licence: what its metadata says; empty where they say nothing.
    """

    name: str
    version: str
    imports: tuple[str, ...]
    size_bytes: int
    licence: str


Catalogue = Mapping[tuple[str, str], Entry]
"""Entries by name and public version."""


def read_catalogue(folder: Path | None = None) -> Catalogue:
    """The entries of a runtime folder, of whaledo's own where none is named; none where it has no such file."""
    path = (folder or runtime_folder()) / CATALOGUE
    if not path.is_file():
        return {}
    listed = (
        Entry(**{**each, "imports": tuple(each["imports"])}) for each in json.loads(path.read_text("utf-8"))
    )
    return {(entry.name, entry.version): entry for entry in listed}


def catalogue_text(entries: Iterable[Entry]) -> str:
    """The file's text: one line an entry, so that a change reads well."""
    ordered = sorted(entries, key=lambda entry: (entry.name, entry.version))
    return "[\n" + ",\n".join(f" {json.dumps(asdict(entry))}" for entry in ordered) + "\n]\n"


def packages_of(lock: str, catalogue: Catalogue) -> tuple[Package, ...]:
    """The packages that the text of a lock pins; one that the catalogue lacks is taken to be imported by its name."""
    found = []
    for name, version in pins(lock).items():
        entry = catalogue.get((name, public_version(version)))
        found.append(Package(name, version, entry.imports if entry else (name.replace("-", "_"),)))
    return tuple(found)


def complete(
    catalogue: Catalogue, locks: Iterable[str], on_output: Callable[[str], None] = lambda _: None
) -> tuple[Entry, ...]:
    """The entries of everything that these locks pin; what the catalogue lacks is fetched and looked at.

    Args:
        catalogue: what is known already.
        locks: texts of locks. A build (`2.13.0+cpu`) counts as known where another lock pins its public version.
        on_output: called with each line that tells how it goes on.

    Raises:
        MachineError: a package can't be fetched.
    """
    wanted: dict[tuple[str, str], str] = {}
    for lock in locks:
        lines = entries(lock)
        for name, version in pins(lock).items():
            key = (name, public_version(version))
            if key not in wanted or key[1] == version:
                wanted[key] = lines[name]
    missing = {key: entry for key, entry in wanted.items() if key not in catalogue}
    looked_at = look_at(missing.values(), on_output) if missing else ()
    known = {**catalogue, **{(entry.name, entry.version): entry for entry in looked_at}}
    return tuple(known[key] for key in wanted if key in known)


def look_at(
    requirements: Iterable[str], on_output: Callable[[str], None] = lambda _: None
) -> tuple[Entry, ...]:
    """Install packages into a folder that is thrown away, and see what they are.

    Args:
        requirements: their entries in a lock, with hashes.
        on_output: called with each line that uv prints.

    Raises:
        MachineError: uv failed.
    """
    from importlib.metadata import distributions

    state = state_folder()
    state.mkdir(parents=True, exist_ok=True)  # on the disk of uv's cache, most likely: then nothing is copied
    with tempfile.TemporaryDirectory(dir=state, prefix="looking-") as place:
        folder = Path(place)
        lock = "".join(requirements)
        (folder / "wanted.lock").write_text(lock, "utf-8")
        (folder / "exact.txt").write_text(exact(lock), "utf-8")
        python = ("--python", find_interpreter().executable, "--python-platform", PLATFORM)
        what = ("--requirements", "wanted.lock", "--constraints", "exact.txt", "--require-hashes")
        command = ("pip", "install", "--target", "installed", "--no-deps", "--no-build", *python, *what)
        run_uv(command, folder=folder, on_output=on_output, doing="fetch the new packages")
        return tuple(_entry(each) for each in distributions(path=[str(folder / "installed")]))


def _entry(found: Distribution) -> Entry:
    files = (Path(str(found.locate_file(file))) for file in found.files or ())
    return Entry(
        name=normalised(found.name),
        version=public_version(found.version),
        imports=imports_of(found),
        size_bytes=sum(path.lstat().st_size for path in files if path.is_file()),
        licence=_licence(found),
    )


def _licence(found: Distribution) -> str:
    """In the words of the metadata: the expression, else the classifiers, else a short licence field."""
    said = found.metadata.json
    if expression := said.get("license_expression"):
        return str(expression)
    classifiers = said.get("classifier", [])
    named = [
        c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ") and c.count(" :: ") > 1
    ]
    if named:
        return ", ".join(named)
    first = str(said.get("license", "")).strip().partition("\n")[0]
    return first if len(first) <= _LONGEST_LICENCE else f"{first[: _LONGEST_LICENCE - 1]}…"
