"""A shell in the container that a run would get: to look around, and to find out why something doesn't work.

The same steps as a run up to the start, with the same walls but for the network, and a terminal instead of a
supervisor. Nothing that is made in it is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from whaledo.archive import extract_archive
from whaledo.challenge.load import load_challenge
from whaledo.challenge.public import make_public_view
from whaledo.errors import UsageError
from whaledo.execution.contract import RESERVED_NAMES, Limits, Network
from whaledo.execution.engines import remove_left
from whaledo.execution.engines.base import Order
from whaledo.execution.engines.containers import Containers
from whaledo.execution.workspace import hand_over, workspace
from whaledo.resources import state_folder


@dataclass(frozen=True, slots=True)
class ShellRequest:
    """One shell, completely described.

    Attributes:
        data: path of the data folder.
        engine: `docker` or `podman`.
        profile: `auto`, or the name of an environment profile.
        image: the image to use instead of the profile's own.
        submission: path of a zip to unpack into the working directory; None for an empty one.
        gpu: whether it is shown the host's GPUs; None: where the profile is made for them and there are any.
        limits: what may be used in it; the time is not limited.
    """

    data: str
    engine: str
    profile: str
    image: str | None
    submission: str | None
    gpu: bool | None = None
    limits: Limits = field(default_factory=Limits)


def open_shell(request: ShellRequest) -> int:
    """Open the shell at this terminal; return its exit status when it has ended.

    Raises:
        BadData: the data folder can't be used.
        BadArchive: the zip can't be opened safely.
        MachineError: there is no such engine or image here.
        UsageError: this isn't started at a terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "a shell needs a terminal, and the input is none",
            hint='type it at one; for commands from a file or a pipe, `script -qec "make interact-container" '
            "/dev/null` makes one",
        )
    challenge = load_challenge(Path(request.data))
    engine = Containers(request.engine, request.profile, request.image, request.gpu)
    run_id = f"shell-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"
    with workspace(state_folder() / "runs", run_id, request.engine, remove_left) as place:
        place.data.mkdir()
        view = make_public_view(challenge, place.data)
        place.code.mkdir(mode=0o755)
        if request.submission is not None:
            extract_archive(Path(request.submission), place.code)
        for name in RESERVED_NAMES:
            (place.code / name).mkdir()
        hand_over(place.data, place.uid)
        hand_over(place.code, place.uid)
        order = Order(run_id, place, view.image_folders, request.limits, Network.HOST)
        return subprocess.run(engine.shell(order), check=False).returncode
