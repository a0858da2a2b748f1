"""Everything that a report says of a submission.csv: numbers from scoring, figures, and the gallery.

A judged report has all of it; without right answers only the gallery is left. The whole goes into the page as
JSON too, so that nobody has to read numbers off a chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whaledo.challenge.model import Challenge
from whaledo.report.answers import Answers, read_answers
from whaledo.report.figures import (
    ConfusedPair,
    ScoreSpread,
    confused_pairs,
    scenario_intervals,
    score_spread,
)
from whaledo.report.gallery import Gallery, build_gallery, ranked
from whaledo.report.text import visible
from whaledo.scoring.compare import CompareRequest, CompareResult, compare
from whaledo.scoring.evaluate import Truth
from whaledo.scoring.score import ScoreRequest, ScoreResult, score, sentences


@dataclass(frozen=True, slots=True)
class Source:
    """The files behind a report's content.

    Attributes:
        rankings: path of the submission.csv.
        data: path of the data folder.
        labels: path of a labels file, if one is given.
        other: path of the submission.csv to compare with, if one is given.
        seed: of the resampling.
    """

    rankings: str
    data: str
    labels: str | None
    other: str | None
    seed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Another submission beside this one: the paired difference, and the other's own score."""

    result: CompareResult
    score: ScoreResult


@dataclass(frozen=True, slots=True)
class Content:
    """What a report shows of a submission.csv.

    Attributes:
        challenge: the challenge's name.
        queries: how many queries there are.
        rows: how many rows a query may have.
        unjudged: why nothing is judged; empty where it is.
        score: the score; None where nothing is judged, as all below but the gallery.
        intervals: the 95 % interval of each scenario's score.
        spread: the scores of right and wrong pairs.
        confused: which animals are mixed up.
        comparison: the other submission.
        gallery: every query.
        photographs: the files of the gallery's images, in their order.
        warnings: what is odd about the csv.
    """

    challenge: str
    queries: int
    rows: int
    unjudged: str
    score: ScoreResult | None
    intervals: tuple[tuple[float, float] | None, ...]
    spread: ScoreSpread | None
    confused: tuple[ConfusedPair, ...]
    comparison: Comparison | None
    gallery: Gallery
    photographs: list[Path]
    warnings: tuple[str, ...]

    def numbers(self) -> Mapping[str, Any]:
        """Every number of the report, as JSON."""
        return {
            "challenge": self.challenge,
            "queries": self.queries,
            "score": self.score and self.score.to_json(),
            "scenario_intervals": self.intervals,
            "score_spread": self.spread and asdict(self.spread),
            "confused_pairs": [asdict(pair) for pair in self.confused],
            "comparison": self.comparison
            and {"paired": self.comparison.result.to_json(), "other": self.comparison.score.to_json()},
        }


def build_content(
    source: Source, challenge: Challenge, truth: Truth | None, answers: Answers, unjudged: str
) -> Content:
    """Work out all that is shown.

    Raises:
        BadRankings: the csv to compare with breaks the rules.
    """
    judged = answers.judged
    scored = comparison = other = None
    if judged is not None:
        scored = _score(source, source.rankings)
        if source.other is not None:
            other = read_answers(Path(source.other), challenge, truth)
            comparison = _compare(source, source.other)
    gallery = build_gallery(challenge, answers, other)
    return Content(
        challenge=visible(challenge.settings.name),
        queries=sum(len(scenario.queries) for scenario in challenge.scenarios),
        rows=challenge.settings.rows_per_query,
        unjudged=unjudged,
        score=scored,
        intervals=tuple(scenario_intervals(judged, challenge, source.seed)) if judged else (),
        spread=score_spread(judged) if judged else None,
        confused=tuple(confused_pairs(challenge, judged, ranked(answers))) if judged else (),
        comparison=comparison,
        gallery=gallery,
        photographs=[challenge.folder / challenge.images[image].path for image in gallery.images],
        warnings=tuple(map(visible, sentences(answers.problems))),
    )


def _score(source: Source, rankings: str) -> ScoreResult:
    return score(ScoreRequest(rankings, labels=source.labels, data=source.data, seed=source.seed))


def _compare(source: Source, other: str) -> Comparison:
    request = CompareRequest(source.rankings, other, source.labels, source.data, source.seed)
    return Comparison(compare(request), _score(source, other))
