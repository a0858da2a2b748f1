"""Talking to Docker or Podman through their own programs: finding them, asking, and saying in words what failed.

Both take the same words for all that whaledo needs, so they are one thing with two names. Their settings
(contexts, hosts, credentials, registries) are theirs: the programs get this process's variables as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from whaledo.errors import MachineError, UsageError

DOCKER, PODMAN = "docker", "podman"
CLIENTS = (DOCKER, PODMAN)
"""The container engines by the names of their programs, the more common one first."""

_KEPT_LINES = 20

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

PATIENCE_S = 60.0
"""A daemon that doesn't answer a question within this time is broken."""

_NOT_RUNNING = (
    "start it: `sudo systemctl start docker` on Linux, Docker Desktop elsewhere; or use another engine"
)
OFFLINE = "is this machine online?"
REFUSED = "does it need a login, and has the registry such an image?"
HINTS = (
    (
        "permission denied while trying to connect",
        "this user may not talk to Docker: `sudo usermod -aG docker $USER`, then log in again; or use podman",
    ),
    ("Cannot connect to the Docker daemon", _NOT_RUNNING),
    ("failed to connect to the docker API", _NOT_RUNNING),
    ("error during connect", _NOT_RUNNING),
    ("unable to connect to Podman", "start its virtual machine: `podman machine start`"),
    ("no such host", OFFLINE),
    ("Temporary failure in name resolution", OFFLINE),
    ("i/o timeout", "is this machine online? behind a proxy, the engine's daemon needs its settings too"),
    ("x509:", "a proxy with a certificate authority of its own: the engine must be told to trust it"),
    ("denied: ", REFUSED),
    ("manifest unknown", REFUSED),
    ("No space left on device", "make room where the engine keeps its images: `docker system df` shows it"),
    ("no space left on device", "make room where the engine keeps its images: `docker system df` shows it"),
    (
        "cgroups in hybrid mode not supported",
        'crun can\'t run here: put `runtime = "runc"` below `[engine]` in ~/.config/containers/containers.conf',
    ),
    (
        "cannot find UID/GID for user",
        "this user has no subordinate ids: `sudo usermod --add-subuids 100000-165535 "
        "--add-subgids 100000-165535 $USER`",
    ),
    (
        "cannot determine user's homedir",
        "rootless Podman keeps its images in the user's home: set HOME to a folder of this user's own",
    ),
    (
        "bind source path does not exist",
        "the engine must run on this machine: its daemon can't see our folders",
    ),
)
"""What the programs say, and what to do about it; the first that fits is shown."""


@dataclass(frozen=True, slots=True)
class Client:
    """A container engine on this machine.

    Attributes:
        name: `docker` or `podman`.
        program: path of its program.
    """

    name: str
    program: str


def find_client(name: str) -> Client:
    """Find a container engine by its name.

    Raises:
        UsageError: there is no engine of that name.
        MachineError: it isn't installed.
    """
    if name not in CLIENTS:
        raise UsageError(f"there is no container engine `{name}`", hint=f"there are: {', '.join(CLIENTS)}")
    program = shutil.which(name)
    if program is None:
        package = "docker.io" if name == DOCKER else name
        raise MachineError(
            f"{name} isn't installed: there is no `{name}` on the PATH",
            hint=f"`apt install {package}`, or see the documentation of {name} for other systems",
        )
    return Client(name, str(Path(program).absolute()))


class Question:
    """Something that the program was asked, and works on while we do other things."""

    def __init__(self, client: Client, *words: str) -> None:
        self._client, self._words = client, words
        self._process = subprocess.Popen(
            [client.program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def hear(self) -> tuple[int, str, str]:
        """Wait for the answer: exit status, what was printed, and what was said of errors.

        Raises:
            MachineError: there was no answer within `PATIENCE_S`.
        """
        try:
            said, wrong = self._process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            what = f"{self._client.name} {self._words[0]}"
            raise MachineError(
                f"`{what}` gave no answer within {PATIENCE_S:.0f} s", hint="restart the engine's daemon"
            ) from None
        return self._process.returncode, said, wrong

    def answer(self, doing: str) -> str:
        """Wait for the answer.

        Raises:
            MachineError: the program failed at `doing`; with what it said, and a hint.
        """
        status, said, wrong = self.hear()
        if status != 0:
            raise failure(self._client.name, doing, wrong)
        return said


def tell(
    client: Client,
    words: Sequence[str],
    doing: str,
    on_output: Callable[[str], None],
    variables: Mapping[str, str] | None = None,
) -> None:
    """Have the program do something that takes long, and hand on each line that it prints, without its colours.

    Args:
        client: the engine.
        words: what to do.
        doing: the same for a person, after "couldn't".
        on_output: called with each line.
        variables: set for the program besides our own.

    Raises:
        MachineError: it failed at `doing`; with what it said last, and a hint.
    """
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    with subprocess.Popen(
        [client.program, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(variables or {})},
    ) as process:
        try:
            for printed in process.stdout or ():
                line = _COLOUR.sub("", printed).rstrip()
                last.append(line)
                on_output(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise failure(client.name, doing, "\n".join(last))


def failure(client: str, doing: str, said: str) -> MachineError:
    """The error for a person, made from what the program said."""
    lines: Sequence[str] = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    return MachineError(f"{client} couldn't {doing}: {last}", hint=hint(said))


def hint(said: str) -> str:
    """The way out of a known failure; empty where none is known."""
    return next((way_out for words, way_out in HINTS if words in said), "")
