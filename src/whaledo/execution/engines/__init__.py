"""The means by which a run is walled in: one file an engine, one interface in `base`."""

from __future__ import annotations

from whaledo.errors import UsageError
from whaledo.execution.engines.base import Engine

ENGINES = ("bubblewrap",)
"""The engines by name, the preferred one first."""


def find_engine(name: str) -> Engine:
    """Return the engine of that name; for `auto`, the preferred one that is installed.

    Raises:
        UsageError: there is no engine of that name.
        MachineError: it isn't installed.
    """
    if name not in ("auto", *ENGINES):
        raise UsageError(f"there is no engine `{name}`", hint=f"the engines are: auto, {', '.join(ENGINES)}")
    from whaledo.execution.engines.bubblewrap import Bubblewrap

    return Bubblewrap()
