"""`whaledo image`: the container images of the runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering
from whaledo.cli.run import IMAGE_VARIABLE
from whaledo.units import show_size

if TYPE_CHECKING:
    from whaledo.environment.image import Image

EngineOption = Annotated[str, typer.Option(help="docker or podman: whose image it is.")]
ProfileOption = Annotated[str, typer.Option(help="core, cpu or gpu: the packages in it.")]
ImageOption = Annotated[
    str | None, typer.Option(help="Its name, instead of the profile's own.", envvar=IMAGE_VARIABLE)
]


def build(
    profile: ProfileOption = "core",
    engine: EngineOption = "docker",
    image: ImageOption = None,
    base_image: Annotated[
        str | None, typer.Option(help="The image to build on, with Python 3.11.", envvar="BASE_IMAGE")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Build a profile's image from its lock."""
    with answering(json) as answer:
        from whaledo.environment.containers import find_client
        from whaledo.environment.image import build_image

        built = build_image(
            find_client(engine), profile, image or None, base_image or None, lambda line: _say(answer, line)
        )
        _answer(answer, "built", built)


def pull(
    profile: ProfileOption = "core",
    engine: EngineOption = "docker",
    image: ImageOption = None,
    json: JsonOption = False,
) -> None:
    """Fetch a profile's image from where it is published."""
    with answering(json) as answer:
        from whaledo.environment.containers import find_client
        from whaledo.environment.image import pull_image, reference

        name = image or reference(profile)
        _answer(answer, "fetched", pull_image(find_client(engine), name, lambda line: _say(answer, line)))


def list_here(json: JsonOption = False) -> None:
    """List the images of the profiles that are here."""
    with answering(json) as answer:
        from whaledo.environment.image import list_images

        images = list_images()
        for engine, each in images:
            size = show_size(each.size_bytes)
            answer.say(f"{engine:<8} {each.reference:<24} {size:>10}  lock {each.lock_sha256[:12]}")
        if not images:
            answer.say("no image of the runtime is here: `make build` builds one, `make pull` fetches it")
        answer.document({"images": [{"engine": engine, **_document(each)} for engine, each in images]})


def shell(
    data: Annotated[Path, typer.Option(help="The data folder.")] = Path("data"),
    profile: Annotated[str, typer.Option(help="auto, core, cpu or gpu.")] = "auto",
    engine: EngineOption = "docker",
    image: ImageOption = None,
    submission: Annotated[
        Path | None, typer.Option(help="A zip to find unpacked in the working directory.", metavar="ZIP")
    ] = None,
    gpu: Annotated[
        bool | None, typer.Option("--gpu/--no-gpu", help="Show GPUs; left out: where the profile wants them.")
    ] = None,
) -> None:
    """Open a shell in the container that a run would get, with network; all that is written there goes."""
    with answering(json=False) as answer:
        from whaledo.execution.interactive import ShellRequest, open_shell

        request = ShellRequest(
            str(data), engine, profile, image or None, str(submission) if submission else None, gpu
        )
        answer.say(
            "The same container as a run's, but with network. `exit` ends it, and all that was written."
        )
        answer.exit_status = open_shell(request)


def _say(answer: Answer, line: str) -> None:
    answer.say(f"  {line}", style="bright_black")


def _answer(answer: Answer, how: str, image: Image) -> None:
    size = show_size(image.size_bytes)
    answer.say(f"{image.reference} was {how}: {size}, profile {image.profile}, lock {image.lock_sha256[:12]}")
    answer.document(_document(image))


def _document(image: Image) -> dict[str, str | int]:
    return {
        "image": image.reference,
        "image_id": image.image_id,
        "profile": image.profile,
        "lock_sha256": image.lock_sha256,
        "version": image.version,
        "bytes": image.size_bytes,
    }
