"""`whaledo score` and `whaledo compare`: what a submission.csv is worth, and whether another is better."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering, error_json
from whaledo.errors import BadRankings

if TYPE_CHECKING:
    from whaledo.scoring.compare import CompareRequest

DATA = Path("data")

LabelsArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[LABELS]",
        help="The right answers: a CSV with query_id,database_image_id, or the metadata.csv of a data folder.",
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        help="The data folder: for the right answers if no LABELS are given, and to check every image against.",
        show_default="data, if it is there and no LABELS are given",
    ),
]


def score(
    rankings: Annotated[Path, typer.Argument(metavar="CSV", help="The submission.csv to score.")],
    labels: LabelsArgument = None,
    data: DataOption = None,
    official: Annotated[
        bool, typer.Option("--official", help="Say beside it what the competition's own scorer would.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check a submission.csv against every rule, and score it."""
    _stay_single()
    from whaledo.cli.score_screen import say_official, say_score
    from whaledo.scoring.score import ScoreRequest, official_json, score
    from whaledo.scoring.score import official as ask_official

    with answering(json) as answer:
        request = ScoreRequest(str(rankings), _text(labels), _text(_data(labels, data)), official)
        try:
            result = score(request)
        except BadRankings as error:
            answer.error(error)
            if official:
                said = ask_official(request)
                say_official(said, answer)
                answer.document({"error": error_json(error), **official_json(said)})
        else:
            say_score(result, answer)
            answer.document(result.to_json())


def compare(
    a: Annotated[Path, typer.Argument(metavar="A.csv", help="One submission.csv.")],
    b: Annotated[Path, typer.Argument(metavar="B.csv", help="The other.")],
    labels: LabelsArgument = None,
    data: DataOption = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="PAGE.html",
            help="Write a page to look at: both rankings of every query, side by side.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say whether one submission.csv is better than another, or whether that may be luck."""
    _stay_single()
    from whaledo.cli.score_screen import say_comparison
    from whaledo.scoring.compare import CompareRequest, compare

    with answering(json) as answer:
        request = CompareRequest(str(a), str(b), _text(labels), _text(_data(labels, data)))
        if page is None:
            result = compare(request)
            say_comparison(result, answer)
            answer.document(result.to_json())
        else:
            _compare_on_page(request, page, answer)


def _compare_on_page(request: CompareRequest, page: Path, answer: Answer) -> None:
    from whaledo.cli.progress import progress_bar
    from whaledo.cli.score_screen import say_comparison, say_page
    from whaledo.report.comparison import ComparisonRequest, write_comparison

    with progress_bar("Making thumbnails") as on_progress:
        written = write_comparison(
            ComparisonRequest(request.a, request.b, str(page), request.data, request.labels), on_progress
        )
    say_comparison(written.compared, answer)
    answer.say()
    say_page(written.path, written.size_bytes, written.images, written.missing_images, answer)
    answer.document({**written.compared.to_json(), "report": written.page_json()})


def _stay_single() -> None:
    """Keep numpy from starting threads for matrices, which nothing here has: they cost a sixth of the command."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _data(labels: Path | None, data: Path | None) -> Path | None:
    return DATA if data is None and labels is None and DATA.is_dir() else data


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
