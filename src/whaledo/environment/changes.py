"""What differs between two sets of packages: the one list behind `env diff` and `env add`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from whaledo.environment.profiles import public_version


class Kind(StrEnum):
    """How a package differs; `BUILD` is one version built for other hardware, which is imported the same."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Change:
    """One package that differs.

    Attributes:
        name: the distribution.
        before: its version in the first set; None where that hasn't got it.
        after: its version in the second.
    """

    name: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> Kind:
        """How it differs."""
        if self.before is None:
            return Kind.ADDED
        if self.after is None:
            return Kind.REMOVED
        return Kind.BUILD if public_version(self.before) == public_version(self.after) else Kind.MOVED


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """The packages whose versions differ, by name; both are name to version."""
    names = sorted(before.keys() | after.keys())
    found = (Change(name, before.get(name), after.get(name)) for name in names)
    return tuple(change for change in found if change.before != change.after)
