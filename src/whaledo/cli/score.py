"""`whaledo score` and `whaledo compare`: what a submission.csv is worth, and whether another is better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whaledo.cli.answer import JsonOption, answering, error_json
from whaledo.errors import BadRankings

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
    json: JsonOption = False,
) -> None:
    """Say whether one submission.csv is better than another, or whether that may be luck."""
    from whaledo.cli.score_screen import say_comparison
    from whaledo.scoring.compare import CompareRequest, compare

    with answering(json) as answer:
        result = compare(CompareRequest(str(a), str(b), _text(labels), _text(_data(labels, data))))
        say_comparison(result, answer)
        answer.document(result.to_json())


def _data(labels: Path | None, data: Path | None) -> Path | None:
    return DATA if data is None and labels is None and DATA.is_dir() else data


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
