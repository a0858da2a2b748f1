"""The means by which a run is walled in: one interface in `base`, and what carries it out beside it."""

from __future__ import annotations

from whaledo.environment.containers import CLIENTS
from whaledo.errors import MachineError, UsageError
from whaledo.execution.cgroups import remove_group
from whaledo.execution.engines.base import Engine
from whaledo.execution.records import RunRequest

BUBBLEWRAP = "bubblewrap"
ENGINES = (BUBBLEWRAP, *CLIENTS)
"""The engines by name, the preferred one first."""


def find_engine(request: RunRequest) -> Engine:
    """Return the engine that a run asks for, with its packages; for `auto`, the first that has them.

    Raises:
        UsageError: there is no engine of that name, or it has no images.
        MachineError: it isn't installed, or the environment (or image) isn't there.
    """
    if request.engine not in ("auto", *ENGINES):
        known = ", ".join(("auto", *ENGINES))
        raise UsageError(f"there is no engine `{request.engine}`", hint=f"the engines are: {known}")
    if request.image is not None and request.engine == BUBBLEWRAP:
        raise UsageError(
            f"the engine {BUBBLEWRAP} has no images: it can't run {request.image}",
            hint="leave --image (or SUBMISSION_IMAGE) out, or choose --engine docker or podman",
        )
    if request.engine != "auto":
        return _engine(request.engine, request)
    first: MachineError | None = None
    for name in CLIENTS if request.image is not None else ENGINES:
        try:
            return _engine(name, request)
        except MachineError as error:
            first = first or error
    raise first or MachineError("there is no engine")


def _engine(name: str, request: RunRequest) -> Engine:
    if name == BUBBLEWRAP:
        from whaledo.environment.build import choose_environment
        from whaledo.execution.engines.bubblewrap import Bubblewrap

        return Bubblewrap(choose_environment(request.profile))
    from whaledo.execution.engines.containers import Containers

    return Containers(name, request.profile, request.image, request.gpu)


def remove_left(engine: str, run_id: str) -> None:
    """End what a run left whose whaledo was killed.

    Raises:
        MachineError: the engine doesn't answer.
    """
    if engine in CLIENTS:
        from whaledo.execution.engines.containers import remove_container

        remove_container(engine, run_id)
    else:
        remove_group(run_id)
