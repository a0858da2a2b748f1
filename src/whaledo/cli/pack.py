"""`whaledo pack`: a folder becomes submission.zip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering

if TYPE_CHECKING:
    from whaledo.submission.pack import Packed

LONG_WORK_BYTES = 100 << 20
"""From here on packing takes seconds, and shows a progress bar."""

LISTED = 8
"""How many of the largest files, and of what was left out, are named."""


def pack(
    source: Annotated[Path, typer.Argument(help="The folder with main.py at its root.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The zip to write.")] = Path(
        "submission/submission.zip"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace a zip that is there.")] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Pack this file although its name looks like a secret; may be repeated."),
    ] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Compress nothing: the same bytes on every machine.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Pack a folder into a zip: the same folder gives the same zip."""
    from whaledo.cli.progress import progress_bar
    from whaledo.submission.pack import pack as pack_folder

    with answering(json) as answer:
        with progress_bar("Packing (MiB)") as bar:

            def show(done_bytes: int, total_bytes: int) -> None:
                if total_bytes >= LONG_WORK_BYTES:
                    bar(done_bytes >> 20, total_bytes >> 20)

            packed = pack_folder(
                source, output, force=force, allow=allow or (), store=store, on_progress=show
            )
        _say_packed(packed, answer)
        answer.document(_document(packed))


def _say_packed(packed: Packed, answer: Answer) -> None:
    from whaledo.units import show_size

    files = f"{len(packed.files):,} file{'' if len(packed.files) == 1 else 's'}"
    answer.say(
        f"{packed.path}: {files}, {show_size(packed.total_bytes)}, in {show_size(packed.size_bytes)} of zip"
    )
    largest = sorted(packed.files, key=lambda file: (-file.size_bytes, file.name))
    for file in largest[:LISTED]:
        answer.say(f"  {show_size(file.size_bytes):>10}  {file.name}")
    if rest := largest[LISTED:]:
        answer.say(
            f"  {show_size(sum(file.size_bytes for file in rest)):>10}  in {len(rest):,} smaller files"
        )
    if packed.left_out:
        answer.say("Left out:")
    for left in packed.left_out[:LISTED]:
        answer.say(f"  {left.name}  ({left.reason})")
    if (more := len(packed.left_out) - LISTED) > 0:
        answer.say(f"  and {more:,} more (--json names them all)")
    for warning in packed.warnings:
        answer.warn(f"! {warning}")
    answer.say(f"sha256 {packed.sha256}")


def _document(packed: Packed) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(packed), "path": str(packed.path)}
