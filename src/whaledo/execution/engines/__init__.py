"""The means by which a run is walled in: one interface in `base`, and what carries it out beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whaledo.environment.accelerator import find_gpu, needed_cuda
from whaledo.environment.containers import CLIENTS
from whaledo.environment.profiles import profiles, read_lock
from whaledo.errors import MachineError, Problem, Problems, UsageError
from whaledo.execution.cgroups import remove_group
from whaledo.execution.engines.base import Engine
from whaledo.execution.records import RunRequest

BUBBLEWRAP = "bubblewrap"
ENGINES = (BUBBLEWRAP, *CLIENTS)
"""The engines by name, the preferred one first."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The engine that a run gets.

    Attributes:
        engine: it.
        instead_of: for each engine that `auto` would rather have had and that is there, why it can't be used.
    """

    engine: Engine
    instead_of: tuple[str, ...] = ()


def find_engine(request: RunRequest) -> Engine:
    """Return the engine that a run asks for, with its packages; for `auto`, the first that has them.

    Raises:
        UsageError: there is no engine of that name, or it has no images.
        MachineError: it isn't installed, or the environment (or image) isn't there.
    """
    return choose_engine(request).engine


def choose_engine(request: RunRequest, whats_wrong: Callable[[Engine], str] = lambda _: "") -> Chosen:
    """Choose the engine of a run: the one that it names or, for `auto`, the first that can be used.

    Args:
        request: the run.
        whats_wrong: says why an engine that is there can't be used after all, or nothing; asked for `auto` only.

    Raises:
        UsageError: there is no engine of that name, or it has no images.
        MachineError: it isn't installed, or the environment (or image) isn't there; for `auto`, each engine's
            own reason is a problem.
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
        return Chosen(_engine(request.engine, request))
    reasons = Problems()
    unusable: list[str] = []
    for name in CLIENTS if request.image is not None else ENGINES:
        try:
            engine = _engine(name, request)
        except MachineError as error:
            reasons.add(Problem(name, f"{name}: {error.message}", error.hint))
            continue
        if not (wrong := _leaves_gpu_idle(engine, request) or whats_wrong(engine)):
            return Chosen(engine, tuple(unusable))
        unusable.append(f"{name}: {wrong}")
        reasons.add(Problem(name, unusable[-1]))
    raise MachineError("no engine can run submissions here", hint="mend any one of these", problems=reasons)


def _leaves_gpu_idle(engine: Engine, request: RunRequest) -> str:
    """Why packages for a GPU aren't run with bubblewrap where there is one; empty where nothing speaks against it."""
    profile = engine.packages.profile
    if engine.name != BUBBLEWRAP or request.gpu is False or profile not in profiles():
        return ""
    if needed_cuda(read_lock(profile)) is None or find_gpu() is None:
        return ""
    return "it shows a run no GPU, and this machine has one (--no-gpu computes on the processor)"


def _engine(name: str, request: RunRequest) -> Engine:
    if name == BUBBLEWRAP:
        from whaledo.environment.build import choose_environment
        from whaledo.execution.engines.bubblewrap import Bubblewrap

        if request.gpu:
            raise MachineError(f"{BUBBLEWRAP} shows a run no GPU", hint="--engine docker or podman do")
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
