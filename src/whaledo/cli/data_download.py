"""`whaledo data download`: the public beluga data from its publisher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering
from whaledo.cli.progress import progress_bar

if TYPE_CHECKING:
    from whaledo.challenge.download.download import DownloadResult


def download(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")] = Path("beluga"),
    part: Annotated[
        str,
        typer.Option(help="training: photographs with identities; test: what the competition asked about."),
    ] = "training",
    url: Annotated[
        str | None, typer.Option(envvar="WHALEDO_BELUGA_URL", help="Another address than the publisher's.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(envvar="WHALEDO_BELUGA_SHA256", help="What the file must be.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Download the public beluga data; after a failure the same command goes on where it stopped."""
    with answering(json) as answer:
        from whaledo.challenge.download.download import DownloadListener, DownloadRequest
        from whaledo.challenge.download.download import download as fetch_and_unpack

        with progress_bar("Downloading (MiB)") as bar:
            listener = DownloadListener(
                fetching=lambda here, total: bar(here >> 20, total >> 20),
                waiting=lambda reason, wait_s: answer.warn(f"{reason}: trying again in {wait_s:.0f} s"),
                unpacking=lambda: answer.say("Everything is here; unpacking it."),
            )
            result = fetch_and_unpack(DownloadRequest(str(folder), part, url, sha256), listener)
        answer.document(result.to_json())
        _say(answer, result)


def _say(answer: Answer, result: DownloadResult) -> None:
    from whaledo.units import show_size

    answer.say(
        f"{result.folder}: {result.files:,} files, from {show_size(result.size_bytes)} of {result.url}"
    )
    answer.say(f"sha256 {result.sha256}")
    if not result.verified:
        answer.warn(
            "! This wasn't compared with a published checksum: the publisher gives none that whaledo knows. "
            "The archive itself is undamaged; --sha256 holds the next download to this one."
        )
    answer.say(f"Licence: {result.licence} ({result.licence_url})")
    answer.say(f"Credit: {result.credit}")
    answer.say(f"The publisher's page has the last word on both: {result.page}")
    if result.photographs is not None:
        table = f"{result.folder}/table.csv"
        answer.say(f"{table}: {result.photographs:,} identified photographs")
        answer.say(f"A challenge of them: whaledo data build {table} data", style="green")
