"""The container images of the profiles: their names, what they say of themselves, and how they are made.

An image is built from the same lock as a profile's environment and says which in its labels, so that a run in a
container can be compared with any other run. `runtime/Dockerfile` can be built by hand too: such an image lacks
the labels that need this package, and is asked for what it holds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whaledo import __version__
from whaledo.environment.builder import find_builder
from whaledo.environment.containers import (
    CLIENTS,
    OFFLINE,
    PODMAN,
    REFUSED,
    Client,
    Question,
    failure,
    find_client,
    tell,
)
from whaledo.environment.installed import normalised
from whaledo.environment.profiles import Lock, profiles, read_lock
from whaledo.environment.torch_builds import MIRROR_VARIABLE
from whaledo.errors import MachineError
from whaledo.resources import runtime_folder

REPOSITORY = "whaledo/runtime"
"""Where the images of the profiles are published, and what they are called here: `whaledo/runtime:core`."""

LABEL_PROFILE = "whaledo.profile"
LABEL_LOCK = "whaledo.lock"
LABEL_VERSION = "whaledo.version"

PYTHON = "/opt/venv/bin/python"
_LOCK_IN_IMAGE = "/opt/whaledo/lock.sha256"
_WALLED = (
    *("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--pull", "never"),
    *(
        "--ulimit",
        "nofile=1024:1024",
        "--ulimit",
        "nproc=1024:1024",
    ),  # Podman's own may be more than is allowed
)
_LIST_PACKAGES = (
    "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that submissions can run in.

    Attributes:
        reference: the name that it was found by.
        image_id: digest of its content, `sha256:` and 64 digits.
        profile: the profile that it holds.
        lock_sha256: digest of the lock that it was built from.
        version: the whaledo that built it; empty where it was built by hand.
        size_bytes: what it takes on disk, layers shared with others included.
    """

    reference: str
    image_id: str
    profile: str
    lock_sha256: str
    version: str
    size_bytes: int


def reference(profile: str) -> str:
    """The name of a profile's image.

    Raises:
        UsageError: there is no such profile.
    """
    return f"{REPOSITORY}:{read_lock(profile).profile}"


def ask_for_images(client: Client, references: Sequence[str]) -> Question:
    """Begin to look for images here; `read_images` reads the answer."""
    return Question(client, "image", "inspect", *references)


def read_images(client: Client, references: Sequence[str], asked: Question) -> tuple[Image, ...]:
    """The images of these names that are here, in the order of the names.

    Raises:
        MachineError: the engine doesn't answer, or an image isn't one of whaledo's runtime.
    """
    status, said, wrong = asked.hear()
    documents: list[dict[str, Any]] = json.loads(said) if said.strip() else []
    if status != 0 and not documents and not _only_missing(wrong):
        raise failure(client.name, "look for images", wrong)
    found = {}
    for document in documents:
        for name in references:
            if len(references) == 1 or _is_named(document, name):
                found[name] = _read(client, name, document)
    return tuple(found[name] for name in references if name in found)


def _only_missing(wrong: str) -> bool:
    lines = [line.lower() for line in wrong.splitlines() if line.strip()]
    return all("no such image" in line or "image not known" in line for line in lines)


def _is_named(document: Mapping[str, Any], name: str) -> bool:
    """Whether this is the image of that name and tag; Podman puts a registry, or `localhost`, before it."""
    return any(each == name or each.endswith(f"/{name}") for each in document.get("RepoTags") or ())


def _read(client: Client, name: str, document: Mapping[str, Any]) -> Image:
    labels: Mapping[str, str] = (document.get("Config") or {}).get("Labels") or {}
    if LABEL_PROFILE not in labels:
        raise MachineError(
            f"the image {name} isn't one of whaledo's runtime: it has no label `{LABEL_PROFILE}`",
            hint="build it from runtime/Dockerfile (`make build`), or from such an image with FROM",
        )
    lock = labels.get(LABEL_LOCK) or _lock_of(client, name)
    image_id = f"sha256:{document['Id'].removeprefix('sha256:')}"
    version, size = labels.get(LABEL_VERSION, ""), int(document.get("Size", 0))
    return Image(name, image_id, labels[LABEL_PROFILE], lock, version, size)


def _lock_of(client: Client, name: str) -> str:
    """The digest of the lock, from the image itself: built by hand, it has no label with it."""
    asked = Question(client, *_WALLED, "--entrypoint", "/bin/cat", name, _LOCK_IN_IMAGE)
    return asked.answer(f"read the lock's digest in {name}").split()[0]


def candidates(profile: str, given: str | None) -> tuple[str, ...]:
    """The names of the images that would do, the preferred first.

    Args:
        profile: a profile, or `auto` for the largest that is here.
        given: the name of an image to use instead.
    """
    if given is not None:
        return (given,)
    return (
        tuple(reference(each) for each in reversed(profiles()))
        if profile == "auto"
        else (reference(profile),)
    )


def missing(client: Client, references: Sequence[str]) -> MachineError:
    """The error for a person that none of these images is here; the way out is that of the last, the smallest."""
    names, last = " or ".join(references), references[-1]
    ours, _, profile = last.rpartition(":")
    if ours == REPOSITORY:
        settings = f"PROFILE={profile}" + (f" ENGINE={client.name}" if client.name != CLIENTS[0] else "")
        way_out = f"`make build {settings}` builds it here, `make pull {settings}` fetches it"
    else:
        way_out = f"`{client.name} pull {last}` fetches it, `{client.name} images` shows those that are here"
    return MachineError(f"{client.name} has no image {names}", hint=way_out)


def packages_of_image(name: str) -> dict[str, str]:
    """The distributions in an image, by name, with their versions: what is there, whatever its labels say.

    Raises:
        MachineError: no engine here has that image, or it has no Python of whaledo's runtime.
    """
    for client in _clients():
        if Question(client, "image", "inspect", name).hear()[0] == 0:
            asked = Question(client, *_WALLED, "--entrypoint", PYTHON, name, "-I", "-c", _LIST_PACKAGES)
            listed: dict[str, str] = json.loads(asked.answer(f"list the packages in {name}"))
            return {normalised(each): version for each, version in listed.items()}
    raise MachineError(f"there is no image {name} here", hint="`whaledo image list` shows those that are")


def _clients() -> list[Client]:
    found = []
    for name in CLIENTS:
        try:
            found.append(find_client(name))
        except MachineError:
            continue
    return found


def list_images() -> list[tuple[str, Image]]:
    """The profiles' images that are here, each with its engine; engines that don't run are left out."""
    found = []
    for client in _clients():
        names = candidates("auto", None)
        try:
            found += [
                (client.name, image) for image in read_images(client, names, ask_for_images(client, names))
            ]
        except MachineError:
            continue
    return found


BUILD_SETTINGS = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("PIP_INDEX_URL", "UV_DEFAULT_INDEX", MIRROR_VARIABLE),
)
"""Variables of whoever builds that the build needs too, where they are set."""


def build_arguments(
    lock: Lock, tag: str, base_image: str | None = None, settings: Mapping[str, str] | None = None
) -> list[str]:
    """What an engine is told to build the image of a lock: a pure function.

    Args:
        lock: the profile's lock.
        tag: what the image is called.
        base_image: the image to build on; None for the Dockerfile's own.
        settings: further build arguments, of `BUILD_SETTINGS`.
    """
    given = {"PROFILE": lock.profile, "LOCK_SHA256": lock.sha256, "VERSION": __version__}
    given |= {"BASE_IMAGE": base_image} if base_image else {}
    arguments = ["build", "--network", "host", "--tag", tag]
    for name, value in {**given, **(settings or {})}.items():
        arguments += ["--build-arg", f"{name}={value}"]
    return [*arguments, str(runtime_folder())]


_OTHER_BASE = (
    "BASE_IMAGE names another image to build on, and scripts/base_image.sh makes one where none can be had"
)


def build_image(
    client: Client,
    profile: str,
    tag: str | None = None,
    base_image: str | None = None,
    on_output: Callable[[str], None] = lambda _: None,
) -> Image:
    """Build a profile's image from its present lock; the engine's own cache makes a second time quick.

    Args:
        client: the engine that builds and keeps it.
        profile: the profile.
        tag: what to call it; None for the profile's own name.
        base_image: the image to build on; None for the Dockerfile's own.
        on_output: called with each line that tells how the build goes on.

    Raises:
        UsageError: there is no such profile.
        MachineError: it can't be built here; says why, and what to do.
    """
    name = tag or reference(profile)
    settings = {each: value for each in BUILD_SETTINGS if (value := os.environ.get(each))}
    arguments = build_arguments(read_lock(profile), name, base_image, settings)
    builder = find_builder(client)
    try:
        tell(builder.client, arguments, f"build the image {name}", on_output, builder.variables)
    except MachineError as error:
        if error.hint not in (OFFLINE, REFUSED):
            raise
        raise MachineError(error.message, hint=f"{error.hint} {_OTHER_BASE}") from error
    return _image_here(client, name)


def _with_registry(client: Client, name: str) -> str:
    """The name to pull by: Docker's registry is the one of names without any, which Podman has to be told."""
    first, slash, _ = name.partition("/")
    says_where = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    return name if says_where or client.name != PODMAN else f"docker.io/{name}"


def pull_image(client: Client, name: str, on_output: Callable[[str], None] = lambda _: None) -> Image:
    """Fetch an image from where it is published; it is the one that `name` stands for afterwards.

    Raises:
        MachineError: the registry can't be reached, or has no such image.
    """
    full = _with_registry(client, name)
    doing = f"pull the image {name}"
    try:
        tell(client, ["pull", full], doing, on_output)
    except MachineError as error:
        if error.hint not in ("", OFFLINE, REFUSED):
            raise
        instead = "`make build` makes the image from this checkout instead"
        raise MachineError(error.message, hint=f"{error.hint or OFFLINE} {instead}") from error
    if full != name:  # an image that was built here has the short name, and would hide this one
        Question(client, "tag", full, name).answer(doing)
    return _image_here(client, name)


def _image_here(client: Client, name: str) -> Image:
    found = read_images(client, (name,), ask_for_images(client, (name,)))
    if not found:
        raise missing(client, (name,))
    return found[0]
