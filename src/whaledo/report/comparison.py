"""Two submissions on one page: which is better, where, and with what pictures.

`write_comparison` goes from a request to one HTML file, as `write.py` does for a run. Nothing is compared without
right answers, and nothing without photographs to look at: `whaledo compare` alone says the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whaledo.challenge.model import Challenge
from whaledo.challenge.truth import is_metadata
from whaledo.errors import UsageError
from whaledo.report.answers import Answers
from whaledo.report.gallery import Gallery, build_gallery
from whaledo.report.page import render_comparison, write_page
from whaledo.report.text import visible
from whaledo.report.thumbnails import make_thumbnails
from whaledo.scoring.compare import CompareResult, contrast
from whaledo.scoring.evaluate import Judged, Truth, judge, read_truth
from whaledo.scoring.score import ScoreResult, sum_up

MADE_BY = b'<meta name="generator" content="whaledo '
"""What stands in the head of every page of ours."""

HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """One page, completely described.

    Attributes:
        a: path of one submission.csv.
        b: path of the other.
        page: path of the HTML file to write.
        data: path of the data folder.
        labels: path of a labels file, where the data folder doesn't tell what is right.
        seed: of the resampling.
    """

    a: str
    b: str
    page: str
    data: str | None = None
    labels: str | None = None
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ComparisonRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        return cls(**document)


@dataclass(frozen=True, slots=True)
class FirstRows:
    """How many scored queries have a right image in the first row, by whose row it is."""

    both: int
    only_a: int
    only_b: int
    neither: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the page shows.

    Attributes:
        challenge: the challenge's name.
        queries: how many queries there are.
        rows: how many rows a query may have.
        names: the two files.
        paired: the paired differences, with the files called A and B.
        scores: the score of each.
        first_rows: which of the two are right in the first row.
        gallery: every query with both rankings.
        photographs: the files of the gallery's images, in their order.
        warnings: what is odd about either file.
    """

    challenge: str
    queries: int
    rows: int
    names: tuple[str, str]
    paired: CompareResult
    scores: tuple[ScoreResult, ScoreResult]
    first_rows: FirstRows
    gallery: Gallery
    photographs: list[Path]
    warnings: tuple[str, ...]

    def numbers(self) -> Mapping[str, Any]:
        """Every number of the page, as JSON."""
        return {
            "challenge": self.challenge,
            "queries": self.queries,
            "names": self.names,
            "paired": self.paired.to_json(),
            "scores": [score.to_json() for score in self.scores],
            "first_rows": asdict(self.first_rows),
        }


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """What was written.

    Attributes:
        path: the HTML file.
        size_bytes: its size.
        images: how many photographs are shown.
        missing_images: how many of these are missing or broken, and have a placeholder.
        compared: the comparison itself, with the files by their names.
    """

    path: str
    size_bytes: int
    images: int
    missing_images: int
    compared: CompareResult

    def page_json(self) -> dict[str, Any]:
        """What is known of the page, as JSON; `compared` has a document of its own."""
        return {name: getattr(self, name) for name in ("path", "size_bytes", "images", "missing_images")}


def write_comparison(
    request: ComparisonRequest, on_progress: Callable[[int, int], None] | None = None
) -> ComparisonResult:
    """Write the page; an older one is replaced when the new one is whole.

    Args:
        request: what to compare.
        on_progress: called with the number of photographs done so far, and of all.

    Raises:
        BadRankings: a file breaks the rules; with every problem at once.
        BadData: the labels or the data folder can't be used.
        UsageError: a folder is missing, or a file that whaledo didn't make is in the page's place.
        MachineError: the page can't be written.
    """
    page = Path(request.page)
    _check_place(page)
    challenge, truth = _read(request)
    a, b = (judge(Path(name), truth) for name in (request.a, request.b))
    comparison = build_comparison((request.a, request.b), (a, b), challenge, truth, request.seed)
    thumbnails = make_thumbnails(comparison.photographs, on_progress)
    size_bytes = write_page(page, render_comparison(comparison, thumbnails))
    return ComparisonResult(
        path=str(page),
        size_bytes=size_bytes,
        images=len(thumbnails),
        missing_images=thumbnails.count(None),
        compared=contrast((request.a, request.b), (a, b), truth, seed=request.seed),
    )


def build_comparison(
    names: tuple[str, str], judged: tuple[Judged, Judged], challenge: Challenge, truth: Truth, seed: int
) -> Comparison:
    """Work out all that is shown."""
    a, b = judged
    answers = [Answers(each.rankings, each.problems, each) for each in judged]
    gallery = build_gallery(challenge, answers, truth.labels)
    paired = contrast(("A", "B"), judged, truth, seed=seed)
    return Comparison(
        challenge=visible(challenge.settings.name),
        queries=sum(len(scenario.queries) for scenario in challenge.scenarios),
        rows=challenge.settings.rows_per_query,
        names=names,
        paired=paired,
        scores=(sum_up(a, truth, seed=seed), sum_up(b, truth, seed=seed)),
        first_rows=_first_rows(a, b),
        gallery=gallery,
        photographs=gallery.photographs(challenge),
        warnings=tuple(map(visible, paired.warnings)),
    )


def _first_rows(a: Judged, b: Judged) -> FirstRows:
    right = []
    for judged in (a, b):
        scored = judged.evaluation.of(judged.evaluation.is_scored)
        right.append(scored.first_hit == 1)
    in_a, in_b = right
    return FirstRows(
        both=int((in_a & in_b).sum()),
        only_a=int((in_a & ~in_b).sum()),
        only_b=int((in_b & ~in_a).sum()),
        neither=int((~in_a & ~in_b).sum()),
    )


def _read(request: ComparisonRequest) -> tuple[Challenge, Truth]:
    labels, data = (None if text is None else Path(text) for text in (request.labels, request.data))
    if data is None and (labels is None or not is_metadata(labels)):
        raise UsageError(
            "the page shows photographs, and no data folder is given",
            hint="give it with --data, beside any labels",
        )
    truth = read_truth(labels, data)
    assert truth.challenge is not None  # noqa: S101 - there is a data folder
    return truth.challenge, truth


def _check_place(page: Path) -> None:
    """Make sure that there is a folder for it, and that nothing but a page of ours is replaced."""
    if not page.parent.is_dir():
        raise UsageError(f"there is no folder {page.parent}", hint="make it, or name another")
    if not page.exists():
        return
    if not page.is_file():
        what = "a folder" if page.is_dir() else "no plain file"
        raise UsageError(f"{page} is {what}", hint="name an HTML file, such as comparison.html")
    try:
        with page.open("rb") as file:
            is_ours = MADE_BY in file.read(HEAD_BYTES)
    except OSError as error:
        raise UsageError(f"{page} can't be replaced: {error.strerror}", hint="give another name") from None
    if not is_ours:
        raise UsageError(f"{page} is there already, and whaledo didn't make it", hint="give another name")
