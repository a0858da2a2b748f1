"""What people see of a score and of a comparison: the number first, then where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from whaledo.challenge.problems import shown
from whaledo.units import show_size

if TYPE_CHECKING:
    from whaledo.cli.answer import Answer
    from whaledo.scoring.compare import CompareResult, Difference
    from whaledo.scoring.official import Official
    from whaledo.scoring.score import ScoreResult

BAR = 24
"""How many characters stand for a score of 1."""

INDENT = "  "


def say_score(result: ScoreResult, answer: Answer) -> None:
    """Print a score."""
    metric = f"mAP@{len(result.cmc)}"
    answer.say(f"{metric}  {result.mean_average_precision:.4f}", style="green")
    answer.say(f"{INDENT}{_interval(result)}")
    if result.official is not None:
        say_official(result.official, answer)
    unanswered = f", {result.unanswered:,} of them without an answer" if result.unanswered else ""
    answer.say(f"{INDENT}{result.queries:,} scored queries{unanswered}")
    first = ", ".join(f"{share:.1%} within {rank}" for rank, share in result.top.items())
    answer.say(f"{INDENT}first hit: {first}")
    if result.scenarios:
        scenarios = [(s.scenario_id, s.queries, s.mean_average_precision) for s in result.scenarios]
        _say_table("scenario", metric, scenarios, answer)
    for breakdown in result.breakdown:
        groups = [(group.name, group.queries, group.mean_average_precision) for group in breakdown.groups]
        _say_table(breakdown.by, metric, groups, answer)
    _warn(result.warnings, answer)


def say_official(official: Official, answer: Answer) -> None:
    """Print what the published scorer would have said."""
    said = f"refused: {official.refusal}" if official.value is None else f"{official.value:.4f}"
    answer.say(f"{INDENT}the competition's published scorer: {said}")


def _interval(result: ScoreResult) -> str:
    if result.confidence_interval is None:
        return f"one of the {result.resampled} alone gives no interval"
    low, high = result.confidence_interval
    return f"95 % interval {low:.4f} to {high:.4f}, resampling {result.units:,} {result.resampled}"


def _say_table(
    title: str, metric: str, rows: Sequence[tuple[str, int, float | None]], answer: Answer
) -> None:
    answer.say()
    for line in _aligned(
        [(title, "queries", metric, ""), *((_name(n), f"{q:,}", _figure(v), _bar(v)) for n, q, v in rows)]
    ):
        answer.say(line)


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines: the first column to the left, the last as it is, those between to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *middle, last in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(middle, widths[1:-1], strict=True)]
        yield (INDENT + "  ".join([*cells, last])).rstrip()


def _name(name: str) -> str:
    return name if name.isprintable() and len(name) <= 40 else shown(name, 40)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _bar(value: float | None) -> str:
    return "█" * round(BAR * (value or 0))


def say_comparison(result: CompareResult, answer: Answer) -> None:
    """Print a comparison."""
    answer.say(result.sentence, style="green" if result.overall.is_shown else None)
    ties = result.overall.queries - result.better - result.worse
    answer.say(
        f"{INDENT}of {result.overall.queries:,} queries, A answers {result.better:,} better, "
        f"{result.worse:,} worse, {ties:,} equally well; resampling {result.resampled}"
    )
    answer.say(f"{INDENT}A: {result.a}")
    answer.say(f"{INDENT}B: {result.b}")
    answer.say()
    differences = (*result.scenarios, result.overall) if len(result.scenarios) > 1 else (result.overall,)
    for line in _aligned(
        [("", "queries", "A", "B", "A - B", "95 % interval"), *map(_difference, differences)]
    ):
        answer.say(line)
    if result.changed:
        answer.say()
        answer.say(f"{INDENT}most changed:")
        changes = [
            (_name(c.query_id), f"{c.a:.4f}", f"{c.b:.4f}", f"{c.a - c.b:+.4f}", "") for c in result.changed
        ]
        for line in _aligned([("query", "A", "B", "A - B", ""), *changes]):
            answer.say(line)
    _warn(result.warnings, answer)


def _difference(difference: Difference) -> tuple[str, ...]:
    interval = "-"
    if difference.confidence_interval is not None:
        low, high = difference.confidence_interval
        interval = f"{low:+.4f} to {high:+.4f}" + (" *" if difference.is_shown else "")
    figures = (f"{difference.a:.4f}", f"{difference.b:.4f}", f"{difference.difference:+.4f}")
    return _name(difference.name), f"{difference.queries:,}", *figures, interval


def say_page(path: str, size_bytes: int, images: int, missing_images: int, answer: Answer) -> None:
    """Print where a page was written, and what it lacks."""
    if missing_images:
        answer.warn(f"! {missing_images:,} of {images:,} photographs are missing or broken")
    answer.say(f"{path}  {show_size(size_bytes)}: open it in a browser")


def _warn(warnings: Iterable[str], answer: Answer) -> None:
    for warning in warnings:
        answer.warn(f"! {warning}")
