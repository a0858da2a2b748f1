"""Everything that a report says of a submission.csv: numbers from scoring, figures, and the gallery.

A judged report has all of it; without right answers only the gallery is left. The whole goes into the page as
JSON too, so that nobody has to read numbers off a chart. Two submissions side by side are `comparison.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whaledo.challenge.model import Challenge
from whaledo.report.answers import Answers
from whaledo.report.figures import (
    ConfusedPair,
    ScoreSpread,
    confused_pairs,
    scenario_intervals,
    score_spread,
)
from whaledo.report.gallery import Gallery, build_gallery, ranked
from whaledo.report.text import visible
from whaledo.scoring.evaluate import Truth
from whaledo.scoring.score import ScoreResult, sentences, sum_up


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
        }


def build_content(
    challenge: Challenge, truth: Truth | None, answers: Answers, unjudged: str, seed: int
) -> Content:
    """Work out all that is shown; `unjudged` says why nothing is judged, and `seed` is of the resampling."""
    judged = answers.judged
    gallery = build_gallery(challenge, [answers], truth.labels if truth else None)
    return Content(
        challenge=visible(challenge.settings.name),
        queries=sum(len(scenario.queries) for scenario in challenge.scenarios),
        rows=challenge.settings.rows_per_query,
        unjudged=unjudged,
        score=sum_up(judged, truth, seed=seed) if judged and truth else None,
        intervals=tuple(scenario_intervals(judged, challenge, seed)) if judged else (),
        spread=score_spread(judged) if judged else None,
        confused=tuple(confused_pairs(challenge, judged, ranked(answers))) if judged else (),
        gallery=gallery,
        photographs=gallery.photographs(challenge),
        warnings=tuple(map(visible, sentences(answers.problems))),
    )
