"""Export a network with the Python of an environment that has torch, in a process of its own.

The network is code from elsewhere, and it needs the internet to fetch its weights: it runs outside the walls, as
the user who asks for it.
"""

from __future__ import annotations

import json
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from whaledo.environment.build import find_environment
from whaledo.errors import MachineError, UsageError
from whaledo.weights.exporter import __file__ as exporter

PROFILES = ("cpu", "gpu")
"""The profiles that hold torch, in the order in which they are looked for: both export the same."""


def find_python(profile: str | None = None) -> Path:
    """The Python of a built environment with torch.

    Raises:
        UsageError: the profile has no torch.
        MachineError: none is built; says what to type.
    """
    if profile is not None and profile not in PROFILES:
        raise UsageError(
            f"the profile {profile!r} has no torch", hint=f"those with it: {', '.join(PROFILES)}"
        )
    for name in (profile,) if profile else PROFILES:
        if found := find_environment(name):
            return found.folder / "bin" / "python"
    wanted = f"the environment `{profile}`" if profile else " or ".join(f"`{name}`" for name in PROFILES)
    raise MachineError(
        f"exporting needs torch, and so {wanted}, which isn't built here",
        hint=f"type `whaledo env build --profile {profile or PROFILES[0]}`",
    )


def export(
    python: Path, order: Mapping[str, Any], place: Path, on_output: Callable[[str], None]
) -> dict[str, Any]:
    """Export a network to `model.onnx` in a folder.

    Args:
        python: a Python with torch, onnx, onnxscript and onnxruntime.
        order: `model`, and `input_size`, `mean` and `std` or None: what the network itself says.
        place: the folder to write into.
        on_output: called with each line that tells how it goes on.

    Returns:
        `input_size`, `mean`, `std` and `embedding_size`.

    Raises:
        UsageError: the network can't be exported; says why.
        MachineError: the exporter failed.
    """
    reply = place / "answer.json"
    reply.unlink(missing_ok=True)
    given = json.dumps({**order, "target": str(place / "model.onnx"), "answer": str(reply)})
    # -P: what lies beside the exporter must not be taken for a package.
    command = [str(python), "-P", "-u", str(exporter), given]
    last: deque[str] = deque(maxlen=3)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            on_output(line.rstrip())
    if process.returncode != 0:
        said = " / ".join(line.strip() for line in last if line.strip()) or f"status {process.returncode}"
        raise MachineError(
            f"{order['model']} couldn't be exported: {said}",
            hint="is the name right, and is this machine online? Weights are fetched from their publisher",
        )
    answer: dict[str, Any] = json.loads(reply.read_text("utf-8"))
    if "refused" in answer:
        raise UsageError(
            f"{order['model']} can't be exported: {answer['refused']}", hint=_hint(answer["refused"])
        )
    return answer


def _hint(refused: str) -> str:
    if "can't import" in refused:
        return "build the environment again from its present lock: `whaledo env build --profile cpu`"
    if "doesn't say" in refused:
        return "say them: --size 224x224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
    return ""
