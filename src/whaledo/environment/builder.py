"""Which program builds an image: one that drives BuildKit, wherever this machine has one.

BuildKit takes over each layer as it stands, where Docker's older builder copies and compares every file of it, which
for our images is half of the time. Docker's program carries BuildKit from 18.09 on and uses it when asked; from 23
on it leaves it to a plugin, buildx, and falls back to the older builder where that isn't installed. Several of these
programs may be on one machine, all of them talking to the same daemon.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from whaledo.environment.containers import DOCKER, Client, Question

SWITCH = "DOCKER_BUILDKIT"
"""Docker's own variable; whoever sets it has chosen a builder, and we leave it at that."""

_CARRIES_BUILDKIT = range(18, 23)


@dataclass(frozen=True, slots=True)
class Builder:
    """What builds an image.

    Attributes:
        client: whose `build` it is.
        variables: to be set for it besides our own.
    """

    client: Client
    variables: Mapping[str, str] = field(default_factory=dict)


def find_builder(client: Client) -> Builder:
    """The builder behind an engine: the engine's own program wherever that is as good as another."""
    if client.name != DOCKER or SWITCH in os.environ:
        return Builder(client)
    for each in _of_the_same_name(client):
        version = _major_version(each)
        if version in _CARRIES_BUILDKIT or (version and Question(each, "buildx", "version").hear()[0] == 0):
            return Builder(each, {SWITCH: "1"})
    return Builder(client)


def _of_the_same_name(client: Client) -> Iterator[Client]:
    """The engine's program, and those that the PATH has behind it."""
    yield client
    for folder in os.get_exec_path():
        program = shutil.which(client.name, path=folder)
        if program is not None and program != client.program:
            yield Client(client.name, program)


def _major_version(client: Client) -> int:
    """The first number of what the program says of itself; 0 where it says none."""
    said = Question(client, "--version").hear()[1]
    number = re.search(r"version (\d+)\.", said)
    return int(number.group(1)) if number else 0
