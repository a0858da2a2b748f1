"""`whaledo weights`: a network for a submission, exported or fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering

if TYPE_CHECKING:
    from whaledo.weights.weights import WeightsResult


def weights(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A known model (without arguments they are listed), timm:NAME, torchvision:NAME, MODULE:FUNCTION "
            "with a network of your own, or the URL of an ONNX file."
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(help="The submission's folder, which gets model.onnx and model.json.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a network that is there.")] = False,
    size: Annotated[
        str | None,
        typer.Option(help="Height and width of photographs, such as 224x224, if not the model's own."),
    ] = None,
    mean: Annotated[str | None, typer.Option(help="Of red, green and blue: 0.485,0.456,0.406.")] = None,
    std: Annotated[str | None, typer.Option(help="Likewise: 0.229,0.224,0.225.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What the ONNX file at a URL must be.")] = None,
    licence: Annotated[str | None, typer.Option(help="The weights' licence, where you know it.")] = None,
    profile: Annotated[str | None, typer.Option(help="Which environment exports: cpu or gpu.")] = None,
    json: JsonOption = False,
) -> None:
    """Put a network into a submission's folder; needs the internet, and runs outside the walls."""
    with answering(json) as answer:
        from whaledo.cli.progress import progress_bar
        from whaledo.errors import UsageError
        from whaledo.weights.options import parse_colours, parse_size
        from whaledo.weights.weights import WeightsListener, WeightsRequest, put_weights

        if model is None:
            _say_known(answer)
        elif folder is None:
            raise UsageError("no folder was named", hint=f"whaledo weights {model} FOLDER")
        else:
            request = WeightsRequest(
                model=model,
                folder=str(folder),
                force=force,
                size=parse_size(size),
                mean=parse_colours(mean, "--mean"),
                std=parse_colours(std, "--std"),
                sha256=sha256,
                licence=licence,
                profile=profile,
            )
            with progress_bar("Downloading (MiB)") as bar:
                listener = WeightsListener(
                    fetching=lambda here, total: bar(here >> 20, total >> 20),
                    waiting=lambda reason, wait_s: answer.warn(f"{reason}: trying again in {wait_s:.0f} s"),
                    exporting=answer.say,
                )
                result = put_weights(request, listener)
            answer.document(result.to_json())
            _say(answer, result)


def _say_known(answer: Answer) -> None:
    from dataclasses import asdict

    from whaledo.weights.sources import PUBLISHED

    answer.document({name: asdict(model) for name, model in PUBLISHED.items()})
    for name, model in PUBLISHED.items():
        answer.say(f"{name:22}{model.size[0]} x {model.size[1]}  {model.about}")
        answer.say(f"{'':22}{model.licence}  {model.page}")


def _say(answer: Answer, result: WeightsResult) -> None:
    from whaledo.units import show_size

    height, width = result.input_size
    answer.say(
        f"{result.folder}: model.onnx ({show_size(result.size_bytes)}) and model.json; "
        f"photographs are scaled to {height} x {width}"
    )
    answer.say(f"sha256 {result.sha256}")
    if not result.exported and not result.verified:
        answer.warn(
            "! This wasn't compared with a checksum: none is known. --sha256 holds the next one to this."
        )
    answer.say(f"Licence: {result.licence} {result.licence_url}".rstrip())
    if result.credit:
        answer.say(f"Credit: {result.credit}")
        answer.say(f"The publisher's page has the last word on both: {result.page}")
    answer.say(f"Pack it: whaledo pack {result.folder}", style="green")
