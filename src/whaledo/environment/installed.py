"""What a built environment holds: its distributions, and the names that each lets one import.

The two differ (`opencv-python-headless` is imported as `cv2`), and messages need both. Read from the files that
each distribution says it installed, because most wheels no longer name their top level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Package:
    """One distribution of an environment.

    Attributes:
        name: the distribution's name, as one installs it, in lower case with dashes.
        version: its version.
        imports: the top-level names that it lets one import, sorted.
    """

    name: str
    version: str
    imports: tuple[str, ...]


def packages_in(site_packages: Path) -> tuple[Package, ...]:
    """The distributions in a `site-packages` folder, by name."""
    # Slow to import, and a run that finds its environment built never needs it.
    from importlib.metadata import distributions

    found = (
        Package(normalised(each.name), each.version, imports_of(each))
        for each in distributions(path=[str(site_packages)])
    )
    return tuple(sorted(found, key=lambda package: package.name))


def normalised(name: str) -> str:
    """A distribution's name as indexes write it: in lower case with dashes."""
    return name.lower().replace("_", "-").replace(".", "-")


def imports_of(distribution: Distribution) -> tuple[str, ...]:
    """The top-level names that an installed distribution lets one import, sorted."""
    return tuple(sorted(top_level(PurePosixPath(file) for file in distribution.files or ())))


def top_level(files: Iterable[PurePosixPath]) -> set[str]:
    """The names that these files, relative to `site-packages`, make importable."""
    modules = (file for file in files if file.name.endswith(_SUFFIXES))
    names = (file.parts[0] if len(file.parts) > 1 else file.name.partition(".")[0] for file in modules)
    return {name for name in names if name.isidentifier()}


def owners(packages: Iterable[Package]) -> Mapping[str, str]:
    """Import name to distribution: where several share a name, the one that is called like it, else the first."""
    found: dict[str, str] = {}
    for package in packages:
        for name in package.imports:
            if name not in found or package.name == normalised(name):
                found[name] = package.name
    return found
