"""Try a submission on a few queries before the run: what would fail after hours fails here in seconds.

A smoke run is a whole run, on a small data folder, with a workspace, walls, limits and a verdict of its own; its
files lie in `smoke/`, so that nothing of it is mixed with the run's. Nor is anything used for the run: its csv
counts for nothing. How runs are made is the runner's business, which is handed in. Run twice, its two csvs are
compared: a submission that doesn't answer alike twice has a score by luck.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from whaledo.challenge.model import Challenge
from whaledo.challenge.sample import choose_sample, write_sample
from whaledo.execution.contract import OUTPUT_CSV
from whaledo.execution.records import (
    Agreement,
    Code,
    Comparison,
    RunResult,
    Smoke,
    Step,
    Trial,
    Verdict,
)

FOLDER = "smoke"
AGAIN = f"{FOLDER}/again"
"""Where the files of the smoke run are, and of the second one, relative to the output folder."""

Ranked = Mapping[str, Mapping[str, float]]
"""Query id to database image id to score."""

RunOn = Callable[[Step, Path, Path], RunResult]
"""Makes one run: the step that it is, its data folder, and its output folder."""


def try_out(
    challenge: Challenge, queries: int, data: Path, output: Path, *, twice: bool, run_on: RunOn
) -> Smoke:
    """Run the submission on the first queries of each scenario, and a second time if that went well.

    Args:
        challenge: the whole challenge.
        queries: how many of each scenario.
        data: where the small data folder is made.
        output: the run's own output folder.
        twice: whether to run it a second time.
        run_on: makes the runs.

    Raises:
        MachineError: the small data folder can't be made.
    """
    sample = choose_sample(challenge, queries)
    write_sample(sample, data)
    first = run_on(Step.SMOKE, data, output / FOLDER)
    total = sum(len(scenario.queries) for scenario in sample.scenarios)
    smoke = Smoke(queries, total, len(sample.images), FOLDER, _trial(first))
    if not twice or first.verdict.code is not Code.OK:
        return smoke
    second = run_on(Step.SMOKE_AGAIN, data, output / AGAIN)
    if second.verdict.code is not Code.OK:
        return replace(smoke, second=_trial(second))
    comparison = compare(_read(output / FOLDER / OUTPUT_CSV), _read(output / AGAIN / OUTPUT_CSV))
    return replace(smoke, second=_trial(second), comparison=comparison)


def _trial(result: RunResult) -> Trial:
    return Trial(result.verdict, result.usage, result.steps, result.warnings)


def verdict_of(smoke: Smoke) -> Verdict | None:
    """How the whole run ends by its smoke run; None where it goes on.

    A second one that fails where the first went well doesn't end the run: `warnings_of` tells of it.
    """
    if smoke.first.verdict.code is not Code.OK:
        where, step, ended = FOLDER, Step.SMOKE, smoke.first.verdict
    elif smoke.second is not None and smoke.second.verdict.code is Code.CANCELLED:
        where, step, ended = AGAIN, Step.SMOKE_AGAIN, smoke.second.verdict
    else:
        return None
    message = f"in the smoke run on {counted_queries(smoke.queries)} (see {where}/): {ended.message}"
    return replace(ended, step=step, message=message)


def warnings_of(smoke: Smoke) -> list[str]:
    """What the second smoke run says against the submission."""
    if smoke.second is not None and smoke.second.verdict.code is not Code.OK:
        ended = smoke.second.verdict
        return [
            f"the smoke run went well, and then on the same data it didn't: {ended.code}: {ended.message}"
        ]
    if smoke.comparison is None or smoke.comparison.agreement is not Agreement.DIFFERENT:
        return []
    return [
        f"the smoke run, twice on the same data: {describe(smoke.comparison)}; its score is partly luck: fix the "
        "seeds, and sort what comes from sets, threads and folder listings"
    ]


def describe(comparison: Comparison) -> str:
    """A comparison in words, in one line."""
    parts = [comparison.agreement.value.replace("_", " ")]
    if comparison.differing_queries:
        parts.append(f"{counted_queries(comparison.differing_queries)} ranked differently")
    place = f"query {comparison.query_id}, image {comparison.image_id}"
    if comparison.largest_difference:
        parts.append(f"scores differ by up to {comparison.largest_difference:.2g} ({place})")
        place = ""
    if comparison.unpaired:
        rows = f"{comparison.unpaired:,} row{'s are' if comparison.unpaired != 1 else ' is'} in one of the two only"
        parts.append(f"{rows} ({place})" if place else rows)
    return ", ".join(parts)


def counted_queries(count: int) -> str:
    """`1 query`, `1,200 queries`."""
    return f"{count:,} {'query' if count == 1 else 'queries'}"


def compare(first: Ranked, second: Ranked) -> Comparison:
    """Compare the rankings of two runs on the same data; the order of rows means nothing, that of scores does."""
    one, other = _pairs(first), _pairs(second)
    unpaired = sorted(one.keys() ^ other.keys())
    if one == other:
        return Comparison(Agreement.IDENTICAL, largest_difference=0.0 if one else None)
    differing = sum(
        _order(first.get(query, {})) != _order(second.get(query, {})) for query in {*first, *second}
    )
    gaps = {pair: abs(one[pair] - other[pair]) for pair in sorted(one.keys() & other.keys())}
    widest = max(gaps, key=lambda pair: gaps[pair], default=None)
    largest = None if widest is None else gaps[widest]
    query, image = widest if largest and widest else unpaired[0]
    agreement = Agreement.DIFFERENT if differing else Agreement.SAME_RANKING
    return Comparison(agreement, differing, len(unpaired), largest, query, image)


def _pairs(ranked: Ranked) -> dict[tuple[str, str], float]:
    return {(query, image): score for query, images in ranked.items() for image, score in images.items()}


def _order(scores: Mapping[str, float]) -> list[set[str]]:
    """Images from the best score down, those with the same score together."""
    by_score: defaultdict[float, set[str]] = defaultdict(set)
    for image, score in scores.items():
        by_score[score].add(image)
    return [by_score[score] for score in sorted(by_score, reverse=True)]


def _read(path: Path) -> Ranked:
    """Read a csv that was found to be valid for the small data folder, so that it is small and holds no surprise."""
    ranked: defaultdict[str, dict[str, float]] = defaultdict(dict)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = (row for row in csv.reader(file) if row)
        header = next(rows)
        query, image, score = map(header.index, ("query_id", "database_image_id", "score"))
        for row in rows:
            ranked[row[query]][row[image]] = float(row[score])
    return ranked
