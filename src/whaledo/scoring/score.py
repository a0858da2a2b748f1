"""Score one submission.csv: from a request to a result, both of which travel as JSON.

`score` is the one function that everything calls: the command line, `scripts/metric.py`, a queue. It prints
nothing and looks at nothing but the files it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whaledo.errors import Problems
from whaledo.scoring.evaluate import Evaluation, Judged, Truth, judge, read_truth
from whaledo.scoring.uncertainty import interval

if TYPE_CHECKING:
    from whaledo.scoring.breakdown import Breakdown
    from whaledo.scoring.official import Official

TOP = (1, 5, 20)
"""The ranks within which a first hit is counted for people."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """One score, completely described.

    Attributes:
        rankings: path of the submission.csv.
        labels: path of a labels file, or of a metadata.csv with the data folder around it.
        data: path of the data folder; at least one of the two is needed.
        official: whether to work out the published scorer's answer too.
        seed: of the resampling.
    """

    rankings: str
    labels: str | None = None
    data: str | None = None
    official: bool = False
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ScoreRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        return cls(**document)

    def truth(self) -> Truth:
        """Read what the rankings are held against.

        Raises:
            BadData: the labels or the data folder can't be used.
            UsageError: neither is given.
        """
        return read_truth(_path(self.labels), _path(self.data))


@dataclass(frozen=True, slots=True)
class ScenarioScore:
    """The score of one scenario.

    Attributes:
        scenario_id: its name.
        queries: how many of its queries are scored: have a right answer.
        mean_average_precision: over them; None where there are none.
    """

    scenario_id: str
    queries: int
    mean_average_precision: float | None


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """What a submission.csv is worth.

    Attributes:
        mean_average_precision: mAP at the most rows allowed, over all scored queries.
        official: the published scorer's answer, if it was asked for.
        queries: how many queries are scored: have a right answer.
        unanswered: how many of them have no rows.
        scenarios: the score of each scenario; none where only labels are known.
        confidence_interval: of the mean, 95 %; None where there are fewer than two units.
        resampled: what was drawn for it, `individuals` or `queries`.
        units: how many of those there are.
        cmc: the share of scored queries with a hit within the first 1, 2, 3 ... rows.
        breakdown: the score by what metadata.csv tells.
        warnings: what is odd about the file.
    """

    mean_average_precision: float
    official: Official | None
    queries: int
    unanswered: int
    scenarios: tuple[ScenarioScore, ...]
    confidence_interval: tuple[float, float] | None
    resampled: str
    units: int
    cmc: tuple[float, ...]
    breakdown: tuple[Breakdown, ...]
    warnings: tuple[str, ...]

    @property
    def top(self) -> dict[int, float]:
        """The share of scored queries with a hit within the first 1, 5 and 20 rows."""
        return {rank: self.cmc[rank - 1] for rank in TOP if rank <= len(self.cmc)}

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "mean_average_precision": self.mean_average_precision,
            **official_json(self.official),
            "queries": self.queries,
            "unanswered": self.unanswered,
            "scenarios": [asdict(scenario) for scenario in self.scenarios],
            "confidence_interval": self.confidence_interval and list(self.confidence_interval),
            "resampled": self.resampled,
            "units": self.units,
            "top": {str(rank): share for rank, share in self.top.items()},
            "cmc": list(self.cmc),
            "breakdown": [asdict(breakdown) for breakdown in self.breakdown],
            "warnings": list(self.warnings),
        }


def official_json(official: Official | None) -> dict[str, Any]:
    """The published scorer's answer as part of a JSON document; null where it wasn't asked for."""
    return {
        "official_mean_average_precision": official and official.value,
        "official_refusal": official and official.refusal,
    }


def score(request: ScoreRequest) -> ScoreResult:
    """Score a submission.csv.

    Raises:
        BadRankings: the file breaks the rules; with every problem at once.
        BadData: the labels or the data folder can't be used.
        UsageError: neither labels nor data are given.
    """
    truth = request.truth()
    judged = judge(Path(request.rankings), truth)
    said = _official(request, truth) if request.official else None
    return sum_up(judged, truth, seed=request.seed, said=said)


def sum_up(judged: Judged, truth: Truth, *, seed: int = 0, said: Official | None = None) -> ScoreResult:
    """Sum up what the answer to each query is worth; `said` is the published scorer's answer."""
    evaluation = judged.evaluation
    scored = evaluation.of(evaluation.is_scored)
    return ScoreResult(
        mean_average_precision=evaluation.mean_average_precision,
        official=said,
        queries=len(scored.query_ids),
        unanswered=int((scored.rows == 0).sum()),
        scenarios=tuple(scenario_scores(scored, truth)),
        confidence_interval=interval(scored.average_precision, scored.individual, seed=seed),
        resampled=scored.unit,
        units=len(set(scored.individual.tolist())),
        cmc=tuple(scored.found_within(rank) for rank in range(1, truth.rows_per_query + 1)),
        breakdown=_breakdown(judged, truth),
        warnings=tuple(sentences(judged.problems)),
    )


def _breakdown(judged: Judged, truth: Truth) -> tuple[Breakdown, ...]:
    if truth.challenge is None:
        return ()
    # Imported late: it needs a data folder.
    from whaledo.scoring.breakdown import break_down

    return break_down(judged.joined, judged.evaluation, truth)


def official(request: ScoreRequest) -> Official:
    """The published scorer's answer alone, also for a file that breaks the rules.

    Raises:
        BadData: the labels or the data folder can't be used.
        UsageError: neither labels nor data are given.
    """
    return _official(request, request.truth())


def _official(request: ScoreRequest, truth: Truth) -> Official:
    # Imported late: few ask for it.
    from whaledo.scoring.official import official_score

    return official_score(Path(request.rankings), truth.labels)


def scenario_scores(scored: Evaluation, truth: Truth) -> Iterator[ScenarioScore]:
    """The score of each scenario, in the challenge's order."""
    scenarios = truth.challenge.scenarios if truth.challenge else ()
    for number, scenario in enumerate(scenarios):
        chosen = scored.of(scored.scenario == number)
        queries = len(chosen.query_ids)
        yield ScenarioScore(scenario.scenario_id, queries, chosen.mean_average_precision if queries else None)


def sentences(problems: Problems) -> Iterator[str]:
    """Problems as sentences, those that are only counted at the end of their kind."""
    for kind in problems.kinds.values():
        yield from map(str, kind.shown)
        if (more := kind.total - len(kind.shown)) > 0:
            yield f"… and {more:,} more like these"


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
