"""Which names an import may find outside of the submission: Python's own modules and the profile's packages.

The names come from the caller; this room asks no environment. Python's own are those of 3.11 on Linux, whatever
Python whaledo itself runs on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

_GONE_SINCE = """
    aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap nis nntplib
    ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib
"""
_NEW_SINCE = frozenset({"annotationlib", "compression"})
WINDOWS_ONLY = frozenset({"_winapi", "msilib", "msvcrt", "nt", "winreg", "winsound"})

PYTHONS_OWN = ((sys.stdlib_module_names | set(_GONE_SINCE.split())) - _NEW_SINCE - WINDOWS_ONLY) | {
    "__main__"
}
"""The modules of Python 3.11's standard library that Linux has."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A profile among all profiles.

    Attributes:
        profile: its name; None: it has packages that nobody knows, so that any name may be there.
        profiles: for each profile, smallest first, the top-level names that it lets one import, and the
            distribution that each comes from.
    """

    profile: str | None
    profiles: Mapping[str, Mapping[str, str]]

    def has(self, top: str) -> bool:
        """Whether a top-level name can be imported."""
        return self.profile is None or top in PYTHONS_OWN or top in self.profiles[self.profile]

    def advice(self, top: str) -> tuple[str, str]:
        """What is wrong with a name that isn't there, and what to do about it."""
        if top in WINDOWS_ONLY:
            return f"`{top}` is a part of Python on Windows only", "a run is on Linux"
        others = [name for name, has in self.profiles.items() if top in has]
        if others:
            having = " and ".join(f"`{each}`" for each in others)
            return (
                f"`{top}` is not in `{self.profile}`; it is in {having}",
                f"check and run it with --profile {others[0]}",
            )
        message = f"`{top}` is neither in the submission nor in `{self.profile}`"
        if meant := self._meant(top):
            return message, f"did you mean `{meant}`?"
        return message, "pack it, or do without (`whaledo env list` shows what is there)"

    def _meant(self, top: str) -> str | None:
        """The name that was most likely meant: people write the distribution's (`pillow`), or mistype."""
        has = self.profiles[self.profile] if self.profile is not None else {}
        by_package = {package.replace("-", "_"): name for name, package in has.items()}
        if top.lower() in by_package:
            return by_package[top.lower()]
        public = [name for name in (*has, *PYTHONS_OWN) if not name.startswith("_")]
        close = get_close_matches(top, public, n=1, cutoff=0.8)
        return close[0] if close else None
