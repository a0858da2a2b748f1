"""The profiles' images: how they are built and named, and what engines say of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from whaledo import __version__
from whaledo.environment import image as module
from whaledo.environment.containers import Client
from whaledo.environment.image import (
    Image,
    ask_for_images,
    build_arguments,
    build_image,
    candidates,
    list_images,
    missing,
    packages_of_image,
    pull_image,
    read_images,
    reference,
)
from whaledo.environment.profiles import Lock, profiles, read_lock
from whaledo.errors import MachineError, UsageError
from whaledo.resources import runtime_folder

LOCK = Lock("core", Path("/locks/environment-core.lock"), "5" * 64)
LABELS = {"whaledo.profile": "core", "whaledo.lock": "5" * 64, "whaledo.version": "0.1.0"}
DIGITS = f"{'adff6a9cd483':0<64}"

# As they really describe an image, shortened: Docker 20.10, Podman 4.3.
OF_DOCKER: dict[str, Any] = {
    "Id": f"sha256:{DIGITS}",
    "RepoTags": ["whaledo/runtime:core"],
    "RepoDigests": [],
    "Config": {"User": "runner", "Labels": LABELS},
    "Size": 918196685,
}
OF_PODMAN: dict[str, Any] = {
    "Id": DIGITS,
    "RepoTags": ["localhost/whaledo/runtime:core"],
    "RepoDigests": [f"localhost/whaledo/runtime@sha256:{'f' * 64}"],
    "Config": {"User": "runner", "Labels": LABELS},
    "Labels": LABELS,
    "Size": 918196685,
}
DOCKERS_MISSING = "Error response from daemon: no such image: {0}: No such image: {0}"
PODMANS_MISSING = "Error: inspecting object: {0}: image not known"


class Played:
    """An engine that is a shell script, first on the PATH; it notes what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, script: str, name: str = "docker") -> Client:
        program = self._folder / name
        program.write_text(f'#!/bin/sh\necho "$*" >> {self._folder}/told\n{script}\n')
        program.chmod(0o755)
        return Client(name, str(program))

    def has(self, *documents: Mapping[str, Any], wrong: str = "", name: str = "docker") -> Client:
        """Make it have these images, and say that others are missing, or what else is wrong."""
        said = shlex.quote(json.dumps(documents))
        failed = f"echo {shlex.quote(wrong)} >&2; exit 1" if wrong else "exit 0"
        return self(f"echo {said}; {failed}", name)

    def told(self) -> list[str]:
        return (self._folder / "told").read_text().splitlines()


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    """Makes engines; there are no others."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return Played(tmp_path)


def look(client: Client, *references: str) -> tuple[Image, ...]:
    return read_images(client, references, ask_for_images(client, references))


def test_a_build_is_told_the_profile_its_lock_and_our_version_and_nothing_else() -> None:
    assert build_arguments(LOCK, "whaledo/runtime:core") == [
        *("build", "--network", "host", "--tag", "whaledo/runtime:core"),
        *("--build-arg", "PROFILE=core"),
        *("--build-arg", f"LOCK_SHA256={'5' * 64}"),
        *("--build-arg", f"VERSION={__version__}"),
        str(runtime_folder()),
    ]


def test_a_base_image_and_the_builders_settings_are_handed_on() -> None:
    args = build_arguments(LOCK, "x", "ana/base:1", {"HTTPS_PROXY": "http://proxy:3128"})
    assert "BASE_IMAGE=ana/base:1" in args
    assert "HTTPS_PROXY=http://proxy:3128" in args
    assert args[-1] == str(runtime_folder())


def test_only_settings_that_a_build_needs_and_that_are_set_are_handed_on(
    play: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setenv("API_KEY", "secret")
    build_image(play.has(OF_DOCKER), "core")
    [build] = [call for call in play.told() if call.startswith("build ")]
    assert "HTTPS_PROXY=http://proxy:3128" in build
    assert "HTTP_PROXY=" not in build
    assert "secret" not in build


def test_every_argument_of_a_build_is_one_of_the_dockerfile() -> None:
    """Docker refuses others, or leaves them out without a word."""
    text = (runtime_folder() / "Dockerfile").read_text()
    declared = {line.split()[1].partition("=")[0] for line in text.splitlines() if line.startswith("ARG ")}
    ours = {word.partition("=")[0] for word in build_arguments(LOCK, "x", "base") if "=" in word}
    own_of_docker = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
    assert ours | set(module.BUILD_SETTINGS) <= declared | own_of_docker


def test_the_images_of_auto_are_all_profiles_the_largest_first() -> None:
    assert candidates("auto", None) == tuple(f"whaledo/runtime:{each}" for each in reversed(profiles()))
    assert candidates("auto", None)[-1] == "whaledo/runtime:core"
    assert candidates("cpu", None) == ("whaledo/runtime:cpu",)
    assert candidates("cpu", "ana/whales") == ("ana/whales",)


def test_a_profile_that_nobody_knows_has_no_image() -> None:
    with pytest.raises(UsageError, match="no profile `cor`"):
        reference("cor")
    with pytest.raises(UsageError, match="no profile `cor`"):
        candidates("cor", None)


@pytest.mark.parametrize(
    ("document", "wrong"),
    [(OF_DOCKER, DOCKERS_MISSING), (OF_PODMAN, PODMANS_MISSING)],
    ids=["docker", "podman"],
)
def test_the_images_that_are_here_are_read_though_others_are_missing(
    document: Mapping[str, Any], wrong: str, play: Played
) -> None:
    client = play.has(document, wrong=wrong.format("whaledo/runtime:gpu"))
    assert look(client, "whaledo/runtime:gpu", "whaledo/runtime:core") == (
        Image("whaledo/runtime:core", f"sha256:{DIGITS}", "core", "5" * 64, "0.1.0", 918196685),
    )
    assert look(play.has(wrong=wrong.format("x")), "x") == ()


def test_they_come_in_the_order_of_the_names(play: Played) -> None:
    labels = {**LABELS, "whaledo.profile": "cpu"}
    cpu = {**OF_DOCKER, "RepoTags": ["whaledo/runtime:cpu"], "Config": {"Labels": labels}}
    found = look(play.has(OF_DOCKER, cpu), "whaledo/runtime:cpu", "whaledo/runtime:core")
    assert [each.profile for each in found] == ["cpu", "core"]


@pytest.mark.parametrize(
    "name",
    [
        "whaledo/runtime:core",
        "docker.io/whaledo/runtime:core",
        "whaledo/runtime",
        f"whaledo/runtime@sha256:{'f' * 64}",
        f"whaledo/runtime:core@sha256:{'f' * 64}",
        f"sha256:{DIGITS}",
        DIGITS[:12],
    ],
)
def test_an_image_is_found_by_whatever_name_the_engine_knows_it_by(name: str, play: Played) -> None:
    assert [each.reference for each in look(play.has(OF_DOCKER), name)] == [name]


def test_an_image_without_our_labels_is_refused(play: Played) -> None:
    client = play.has({**OF_DOCKER, "Config": {"Labels": None}})
    with pytest.raises(MachineError, match=r"debian:12 isn't one of whaledo's runtime"):
        look(client, "debian:12")


def test_an_image_that_was_built_by_hand_is_asked_for_its_lock(play: Played) -> None:
    said = shlex.quote(json.dumps([{**OF_DOCKER, "Config": {"Labels": {**LABELS, "whaledo.lock": ""}}}]))
    client = play(f'[ "$1" = image ] && echo {said} || echo {"7" * 64}')
    assert look(client, "whales")[0].lock_sha256 == "7" * 64
    [run] = [call for call in play.told() if call.startswith("run ")]
    assert "--network none" in run
    assert "--pull never" in run
    assert run.endswith("--entrypoint /bin/cat whales /opt/whaledo/lock.sha256")


def test_a_daemon_that_doesnt_answer_isnt_taken_for_an_image_that_is_missing(play: Played) -> None:
    client = play("echo 'Cannot connect to the Docker daemon at unix:///x.' >&2; echo '[]'; exit 1")
    with pytest.raises(MachineError, match="couldn't look for images: Cannot connect") as caught:
        look(client, "whaledo/runtime:core")
    assert "start it" in caught.value.hint


def test_the_images_of_all_engines_are_listed_and_those_that_dont_run_left_out(play: Played) -> None:
    play("echo 'Cannot connect to the Docker daemon at unix:///x.' >&2; exit 1")
    assert list_images() == []
    play.has(OF_PODMAN, wrong=PODMANS_MISSING.format("whaledo/runtime:gpu"), name="podman")
    assert [(engine, each.reference) for engine, each in list_images()] == [
        ("podman", "whaledo/runtime:core")
    ]


def test_without_any_engine_no_image_is_listed(play: Played) -> None:
    assert list_images() == []


def test_podman_is_told_the_registry_and_calls_the_image_by_our_name_afterwards(play: Played) -> None:
    """Debian's Podman has no registry to look in, and an image that was built here would hide a pulled one."""
    pull_image(play.has(OF_PODMAN, name="podman"), "whaledo/runtime:core")
    full = "docker.io/whaledo/runtime:core"
    assert play.told()[:2] == [f"pull {full}", f"tag {full} whaledo/runtime:core"]
    pull_image(play.has(OF_PODMAN, name="podman"), "quay.io/ana/whales:2")
    assert play.told()[3:] == ["pull quay.io/ana/whales:2", "image inspect quay.io/ana/whales:2"]


def test_a_pull_that_fails_for_an_unknown_reason_has_a_way_out_too(play: Played) -> None:
    client = play("echo 'Error: dial tcp 127.0.0.1:443: connect: connection refused'; exit 125", "podman")
    with pytest.raises(MachineError, match=r"couldn't pull the image .* connection refused") as caught:
        pull_image(client, "whaledo/runtime:core")
    assert "make build" in caught.value.hint


def test_a_build_without_its_base_isnt_told_to_build(play: Played) -> None:
    client = play("echo 'dial tcp: lookup registry-1.docker.io: no such host'; exit 1")
    with pytest.raises(MachineError, match="couldn't build the image") as caught:
        build_image(client, "core")
    assert "make build" not in caught.value.hint
    assert "online? BASE_IMAGE names another image" in caught.value.hint


def test_a_missing_image_is_got_by_what_is_to_be_typed_for_it() -> None:
    docker, podman = Client("docker", "/docker"), Client("podman", "/podman")
    assert "`make build PROFILE=gpu` " in missing(docker, candidates("gpu", None)).hint
    assert "`make build PROFILE=core ENGINE=podman` " in missing(podman, candidates("auto", None)).hint
    assert "`podman pull ana/whales:2` " in missing(podman, ["ana/whales:2"]).hint


def test_a_pulled_image_is_read(play: Played) -> None:
    lines: list[str] = []
    client = play(f'[ "$1" = image ] && echo {shlex.quote(json.dumps([OF_DOCKER]))} || echo "Status: new"')
    assert pull_image(client, "whaledo/runtime:core", lines.append).profile == "core"
    assert lines == ["Status: new"]
    assert play.told()[0] == "pull whaledo/runtime:core"


def test_an_image_that_no_engine_here_has_holds_no_packages(play: Played) -> None:
    play.has(wrong=DOCKERS_MISSING.format("x"))
    with pytest.raises(MachineError, match="no image x here"):
        packages_of_image("x")


def test_the_packages_of_an_image_are_those_of_its_lock(need_engine: Callable[[str], str]) -> None:
    need_engine("docker")
    assert {
        name.lower().replace("_", "-"): version
        for name, version in packages_of_image("whaledo/runtime:core").items()
    } == read_lock("core").versions()
