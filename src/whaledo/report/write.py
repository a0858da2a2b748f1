"""Write the report of a submission: from a request to one HTML file, by whoever calls.

`write_report` is the one function that everything calls; what it reads is in `answers.py` and `record.py`, what
it shows in `page.py`. It fails where a score would, with one exception: a csv that is missing or breaks the rules
is what the report is about then, as long as there is anything to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whaledo.errors import BadRankings, BadSubmission, Problems
from whaledo.execution.contract import OUTPUT_CSV, RECORD
from whaledo.report.answers import read_answers, read_right_answers
from whaledo.report.content import Content, build_content
from whaledo.report.page import render_report, write_page
from whaledo.report.record import read_log_tail, read_record
from whaledo.report.thumbnails import make_thumbnails

REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One report, completely described.

    Attributes:
        output: the folder of a run: its `submission.csv`, `run.json` and `log.txt`, of which any may be missing;
            the report is written there.
        data: path of the data folder.
        labels: path of a labels file, where the data folder doesn't tell what is right.
        seed: of the resampling for intervals.
    """

    output: str
    data: str
    labels: str | None = None
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ReportRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        return cls(**document)


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What was written.

    Attributes:
        path: the HTML file.
        size_bytes: its size.
        verdict: how the run ended; None where there is no record of it, as all of these.
        message: what happened.
        hint: what to do.
        check: what reading the code before the run found, as `run.json` has it.
        smoke: how the smoke run went, likewise.
        mean_average_precision: the score; None where nothing is judged.
        queries: how many queries can be looked at.
        images: how many photographs are shown with them.
        missing_images: how many of these are missing or broken, and have a placeholder.
        warnings: what is odd about what was read.
    """

    path: str
    size_bytes: int
    verdict: str | None
    message: str | None
    hint: str | None
    check: Mapping[str, Any] | None
    smoke: Mapping[str, Any] | None
    mean_average_precision: float | None
    queries: int
    images: int
    missing_images: int
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)


def write_report(
    request: ReportRequest, on_progress: Callable[[int, int], None] | None = None
) -> ReportResult:
    """Write `report.html` into the output folder; an older one is replaced when the new one is whole.

    Args:
        request: what to report on.
        on_progress: called with the number of photographs done so far, and of all.

    Raises:
        BadSubmission: there is neither a submission.csv nor a record of a run.
        BadRankings: the csv breaks the rules, and no run tells of it.
        BadData: the labels or the data folder can't be used.
        MachineError: the report can't be written.
    """
    output = Path(request.output)
    run, unreadable = read_record(output)
    content, problems = _content(request, has_run=run is not None)
    images = content.photographs if content else []
    thumbnails = make_thumbnails(images, on_progress)
    warnings = tuple(filter(None, (unreadable, *(content.warnings if content else ()))))
    missing = thumbnails.count(None)
    html = render_report(
        run=run,
        log=() if run is not None and run.is_ok else read_log_tail(output, run),
        problems=problems,
        content=content,
        thumbnails=thumbnails,
        warnings=warnings,
    )
    path = output / REPORT
    size_bytes = write_page(path, html)
    score = content.score if content else None
    return ReportResult(
        path=str(path),
        size_bytes=size_bytes,
        verdict=run.code if run else None,
        message=run.message if run else None,
        hint=run.hint if run else None,
        check=run.document.get("check") if run else None,
        smoke=run.document.get("smoke") if run else None,
        mean_average_precision=score.mean_average_precision if score else None,
        queries=content.queries if content else 0,
        images=len(images),
        missing_images=missing,
        warnings=warnings,
    )


def _content(request: ReportRequest, *, has_run: bool) -> tuple[Content | None, Problems]:
    """What there is to say of the csv; None, with the reasons, where it is missing or breaks the rules."""
    csv = Path(request.output) / OUTPUT_CSV
    if not csv.exists():
        if has_run:
            return None, Problems()
        raise BadSubmission(
            f"there is nothing to report on: {csv.parent} holds neither {OUTPUT_CSV} nor {RECORD}",
            hint="`whaledo run submission.zip` leaves both; --output names their folder",
        )
    challenge, truth, unjudged = read_right_answers(Path(request.data), _path(request.labels))
    try:
        answers = read_answers(csv, challenge, truth)
    except BadRankings as error:
        if not has_run:
            raise
        return None, error.problems
    return build_content(challenge, truth, answers, unjudged, request.seed), Problems()


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
