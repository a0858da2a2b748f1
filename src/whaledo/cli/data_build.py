"""`whaledo data build`: a challenge from anyone's table of identified photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.challenge.build.dates import DateOrder
from whaledo.challenge.build.records import BoxFormat, BuildRequest, DateDetail
from whaledo.challenge.model import Layout
from whaledo.cli.answer import Answer, JsonOption, answering
from whaledo.cli.progress import progress_bar
from whaledo.errors import Fault, UsageError

if TYPE_CHECKING:
    from whaledo.challenge.build.records import BuildResult, BuiltScenario


def build(
    table: Annotated[
        Path, typer.Argument(help="A CSV with a row a photograph: image_id, identity, path, ...")
    ],
    output: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    images: Annotated[
        Path | None, typer.Option(help="Where the table's paths start; without it, at the table's folder.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="ROLE=NAME: the column that holds the image_id, identity, path, date, viewpoint, "
            "encounter, box or species; may be repeated."
        ),
    ] = None,
    unknown: Annotated[
        list[str] | None,
        typer.Option(help="What the identity of an unknown animal reads: 'unknown', if it isn't said."),
    ] = None,
    species: Annotated[str | None, typer.Option(help="Only photographs of this species.")] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option(help="What comes first in dates such as 03/04/2019.")
    ] = None,
    box: Annotated[
        BoxFormat, typer.Option(help="What the numbers of a box are: left, top, then size or far corner.")
    ] = BoxFormat.XYWH,
    scenarios: Annotated[
        Path | None, typer.Option(help="A TOML file of scenarios; without it, all presets that are possible.")
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(help="same-season, cross-season, same-view or cross-view; may be repeated."),
    ] = None,
    training_share: Annotated[
        float, typer.Option(help="The share of the animals that competitors learn from.")
    ] = 0.5,
    seed: Annotated[
        int | None, typer.Option(help="To repeat a build. Keep it secret: without it, one is drawn.")
    ] = None,
    layout: Annotated[
        Layout, typer.Option(help="a: queries/*.csv beside databases/*.txt; b: named by query_scenarios.csv.")
    ] = Layout.A,
    name: Annotated[str | None, typer.Option(help="The challenge's name.")] = None,
    dates: Annotated[DateDetail, typer.Option(help="How much of the dates is public.")] = DateDetail.DAY,
    longest_side: Annotated[
        int, typer.Option(help="Scale larger images down to so many pixels; 0: never.")
    ] = 1200,
    quality: Annotated[int, typer.Option(help="Of the JPEG files, 1 to 95.")] = 90,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Go on without photographs that can't be used.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Build a challenge from a table of identified photographs."""
    with answering(json) as answer:
        from whaledo.challenge.build.build import build_challenge

        request = BuildRequest(
            table=str(table),
            output=str(output),
            images=None if images is None else str(images),
            columns=_columns(column or ()),
            unknown=("unknown",) if unknown is None else tuple(unknown),
            species=species,
            date_order=date_order,
            box_format=box,
            scenarios=None if scenarios is None else str(scenarios),
            presets=tuple(preset or ()),
            training_share=training_share,
            seed=seed,
            layout=layout,
            name=name,
            dates=dates,
            longest_side=longest_side,
            quality=quality,
            skip_broken=skip_broken,
        )
        with progress_bar("Converting images") as on_progress:
            result = build_challenge(request, on_progress)
        answer.document(result.to_json())
        _say(answer, result)
        if not result.ok:
            answer.exit_status = Fault.DATA.exit_status


def _columns(given: list[str] | tuple[()]) -> dict[str, str]:
    columns = {}
    for text in given:
        role, equals, name = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--column {text} names no column", hint="write --column identity=NAME")
        columns[role.strip()] = name
    return columns


def _say(answer: Answer, result: BuildResult) -> None:
    answer.say(
        f"{result.output}/public: {result.public_images:,} photographs of {result.public_animals:,} animals"
    )
    for line in _scenario_lines(result.scenarios):
        answer.say(f"  {line}")
    answer.say(
        f"{result.output}/training: {result.training_images:,} photographs "
        f"of {result.training_animals:,} other animals, with their identities"
    )
    answer.say(f"{result.output}/private: the identities, the labels, the way back to the originals; keep it")
    for reason, number in result.left_out.items():
        answer.say(f"Left out: {number:,} {reason}")
    for note in result.notes:
        answer.say(f"Note: {note}")
    answer.problems(result.problems)
    answer.say("What could give answers away:")
    for leak in result.leaks:
        mark = "✓ none" if not leak.found else f"{'✗' if leak.must_be_none else '!'} {leak.found:,}"
        answer.say(f"  {mark:<7} {leak.title}")
        for example in leak.examples:
            answer.say(f"            {example}")
        if leak.hint:
            answer.say(f"          → {leak.hint}")
    if result.ok:
        answer.say(
            f"✓ {result.output} is a challenge: give public/ and training/ away, and private/ to nobody",
            style="green",
        )
    else:
        answer.say(f"✗ {result.output} gives answers away: don't publish it", style="red")


def _scenario_lines(scenarios: tuple[BuiltScenario, ...]) -> Iterator[str]:
    width = max(len(name) for name in ("scenario", *(one.scenario_id for one in scenarios)))
    yield f"{'scenario':{width}}  queries  of new animals  database  animals that ask"
    for one in scenarios:
        yield (
            f"{one.scenario_id:{width}}  {one.queries:7,}  {one.new_individuals:14,}  "
            f"{one.database:8,}  {one.animals:16,}"
        )
