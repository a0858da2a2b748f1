"""Is one submission better than another, or is it luck? The paired difference, with its interval.

Both answer the same queries, so what is resampled is each query's difference, animal by animal: what is hard for
both drops out, and a difference shows that the two scores' own intervals would hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whaledo.errors import Problems
from whaledo.scoring.evaluate import Evaluation, Judged, Truth, judge, read_truth
from whaledo.scoring.score import sentences
from whaledo.scoring.uncertainty import interval

CHANGED = 10
"""How many of the queries that changed most are listed."""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """One comparison, completely described.

    Attributes:
        a: path of one submission.csv.
        b: path of the other.
        labels: path of a labels file, or of a metadata.csv with the data folder around it.
        data: path of the data folder; at least one of the two is needed.
        seed: of the resampling.
    """

    a: str
    b: str
    labels: str | None = None
    data: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Two mean average precisions over the same queries.

    Attributes:
        name: of the scenario, or `all`.
        queries: how many scored queries there are.
        a: the one's mean average precision.
        b: the other's.
        difference: `a - b`.
        confidence_interval: of the difference, 95 %; None where there are fewer than two units.
    """

    name: str
    queries: int
    a: float
    b: float
    difference: float
    confidence_interval: tuple[float, float] | None

    @property
    def is_shown(self) -> bool:
        """Whether the data shows a difference: whether 0 lies outside the interval."""
        return self.confidence_interval is not None and not (
            self.confidence_interval[0] <= 0 <= self.confidence_interval[1]
        )


@dataclass(frozen=True, slots=True)
class QueryChange:
    """A query that the two answer differently: its average precision in both."""

    query_id: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class CompareResult:
    """How two submissions compare.

    Attributes:
        a: the one file.
        b: the other.
        overall: over all scored queries.
        scenarios: over those of each scenario that has any.
        changed: the queries that changed most, most changed first.
        better: how many queries `a` answers better.
        worse: how many it answers worse.
        resampled: what was drawn for the intervals, `individuals` or `queries`.
        sentence: the finding, in words.
        warnings: what is odd about either file.
    """

    a: str
    b: str
    overall: Difference
    scenarios: tuple[Difference, ...]
    changed: tuple[QueryChange, ...]
    better: int
    worse: int
    resampled: str
    sentence: str
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)


def compare(request: CompareRequest) -> CompareResult:
    """Compare two submissions.

    Raises:
        BadRankings: a file breaks the rules; with every problem at once.
        BadData: the labels or the data folder can't be used.
        UsageError: neither labels nor data are given.
    """
    labels, data = (None if text is None else Path(text) for text in (request.labels, request.data))
    truth = read_truth(labels, data)
    judged = [judge(Path(name), truth) for name in (request.a, request.b)]
    return contrast((request.a, request.b), (judged[0], judged[1]), truth, seed=request.seed)


def contrast(
    names: tuple[str, str], judged: tuple[Judged, Judged], truth: Truth, *, seed: int = 0
) -> CompareResult:
    """Compare two submissions that are read and judged; `names` are what to call them."""
    a, b = judged[0].evaluation, judged[1].evaluation
    overall = _difference("all", a, b, seed)
    scenarios = truth.challenge.scenarios if truth.challenge else ()
    by_scenario = (
        _difference(s.scenario_id, a.of(a.scenario == number), b.of(b.scenario == number), seed)
        for number, s in enumerate(scenarios)
        if (a.is_scored & (a.scenario == number)).any()
    )
    changes = _changes(a, b)
    return CompareResult(
        a=names[0],
        b=names[1],
        overall=overall,
        scenarios=tuple(by_scenario),
        changed=tuple(sorted(changes, key=lambda change: -abs(change.a - change.b))[:CHANGED]),
        better=sum(change.a > change.b for change in changes),
        worse=sum(change.a < change.b for change in changes),
        resampled=a.unit,
        sentence=_sentence(names, overall, bool(changes)),
        warnings=tuple(_warnings(dict(zip(names, (each.problems for each in judged), strict=True)))),
    )


def _paired(a: Evaluation, b: Evaluation) -> tuple[Evaluation, Evaluation]:
    """The scored queries of both: the same, those of the labels, in the same order."""
    return a.of(a.is_scored), b.of(b.is_scored)


def _difference(name: str, a: Evaluation, b: Evaluation, seed: int) -> Difference:
    mean_a, mean_b = a.mean_average_precision, b.mean_average_precision
    a, b = _paired(a, b)
    differences = a.average_precision - b.average_precision
    off = interval(differences, a.individual, within=(-1.0, 1.0), seed=seed)
    return Difference(name, len(a.query_ids), mean_a, mean_b, mean_a - mean_b, off)


def _changes(a: Evaluation, b: Evaluation) -> list[QueryChange]:
    """The queries that the two answer unequally well, in the order of their ids."""
    a, b = _paired(a, b)
    return [
        QueryChange(a.query_ids[place], float(a.average_precision[place]), float(b.average_precision[place]))
        for place in np.flatnonzero(a.average_precision != b.average_precision).tolist()
    ]


def _warnings(odd: Mapping[str, Problems]) -> Iterator[str]:
    for name, problems in odd.items():
        yield from (f"{name}: {said}" for said in sentences(problems))


def _sentence(names: tuple[str, str], overall: Difference, differ: bool) -> str:
    if not differ:
        return "no difference: every query is answered equally well"
    if overall.confidence_interval is None:
        return "one animal alone can't show a difference"
    low, high = overall.confidence_interval
    if not overall.is_shown:
        within = f"{overall.difference:+.3f}, 95 % interval {low:.3f} to {high:.3f}"
        return f"no difference that this data can show ({within})"
    better = names[0]
    if overall.difference < 0:
        better, low, high = names[1], -high, -low
    return f"{better} is better: {abs(overall.difference):+.3f}, 95 % interval {low:.3f} to {high:.3f}"
