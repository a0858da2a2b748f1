"""Which profile lets a submission import what; answered from checked-in data, so nothing has to be built."""

from __future__ import annotations

from collections.abc import Mapping

from whaledo.environment.catalogue import packages_of, read_catalogue
from whaledo.environment.installed import Package, owners
from whaledo.environment.profiles import profiles, read_lock


def packages(profile: str) -> tuple[Package, ...]:
    """A profile's packages, with the names that each lets one import.

    Raises:
        UsageError: there is no such profile.
    """
    return packages_of(read_lock(profile).path.read_text("utf-8"), read_catalogue())


def import_names(profile: str) -> Mapping[str, str]:
    """Each top-level name that a profile lets one import, and the distribution that it comes from.

    Raises:
        UsageError: there is no such profile.
    """
    return owners(packages(profile))


def profiles_with(import_name: str) -> tuple[str, ...]:
    """The profiles that have a module (`cv2`, or `sklearn.metrics`), smallest first; empty where none has it."""
    top_level = import_name.partition(".")[0]
    return tuple(profile for profile in profiles() if top_level in import_names(profile))
