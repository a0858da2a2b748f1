"""The whole way in one go: draw a challenge, pack the quickstart, run it, score it, report on it.

It calls what a competitor calls, in the same order, on data that needs no download. Everything goes into one
folder, where it can be looked at and tried again by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from whaledo.challenge.demo.write import write_demo
from whaledo.challenge.load import METADATA_FILE
from whaledo.execution.contract import OUTPUT_CSV
from whaledo.execution.records import Code, RunRequest, RunResult
from whaledo.execution.runner import Listener, run
from whaledo.report.write import ReportRequest, ReportResult, write_report
from whaledo.resources import quickstart_folder
from whaledo.scoring.score import ScoreRequest, ScoreResult, score
from whaledo.submission.pack import Packed, pack


@dataclass(frozen=True, slots=True)
class DemoListener:
    """Whom to tell while the demo goes on.

    Attributes:
        drawing: how many photographs are drawn, of how many.
        drawn: the challenge is there: the folder, and whether it was there before.
        packed: the quickstart is packed.
        run: what the run tells.
        ran: the run is over.
    """

    drawing: Callable[[int, int], None] = lambda _done, _total: None
    drawn: Callable[[Path, bool], None] = lambda _folder, _before: None
    packed: Callable[[Packed], None] = lambda _: None
    run: Listener = field(default_factory=Listener)
    ran: Callable[[RunResult], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made.

    Attributes:
        data: the challenge.
        packed: the zip.
        output: folder of the csv, the log and the record.
        result: how the run ended.
        score: what it scored; None where the run left nothing to score.
        report: the page that shows all of it.
    """

    data: Path
    packed: Packed
    output: Path
    result: RunResult
    score: ScoreResult | None
    report: ReportResult


def run_demo(folder: Path, *, seed: int = 0, listener: DemoListener | None = None) -> Demo:
    """Go the whole way in a folder of its own; a challenge that it holds already is used again.

    Raises:
        UsageError: the folder's `data` holds something else than a challenge.
        MachineError: there is no engine or environment, or the folder can't be written.
    """
    listener = listener or DemoListener()
    data, output = folder / "data", folder / "submission"
    there_before = (data / METADATA_FILE).is_file()
    if not there_before:
        write_demo(data, seed=seed, on_progress=listener.drawing)
    listener.drawn(data, there_before)
    packed = pack(quickstart_folder(), output / "submission.zip", force=True)
    listener.packed(packed)
    result = run(RunRequest(str(packed.path), str(data), str(output), profile="core"), listener.run)
    listener.ran(result)
    scored = None
    if result.verdict.code is Code.OK:
        scored = score(ScoreRequest(str(output / OUTPUT_CSV), data=str(data)))
    report = write_report(ReportRequest(str(output), str(data)))
    return Demo(data, packed, output, result, scored, report)
