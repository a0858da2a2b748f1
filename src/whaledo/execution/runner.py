"""One run, step by step: check, unpack, start, run, collect, validate; then a verdict, whatever happened.

`run` is the one function that everything calls: the command line, and later a queue or a cluster. It takes a
request, returns a result, prints nothing and reads no global state. What is wrong with the request itself (no
such zip, unusable data, no environment) is raised before anything is touched; from then on every end is a
verdict, and `run.json` says it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whaledo import __version__
from whaledo.archive import extract_archive, find_main
from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Challenge
from whaledo.challenge.public import PublicView, make_public_view
from whaledo.errors import BadArchive, BadData, Fault, MachineError
from whaledo.execution import output, smoke, verdict
from whaledo.execution.check import Cancelled, Checker
from whaledo.execution.collect import Collected, HostileOutput, NoOutput, collect_csv
from whaledo.execution.contract import OUTPUT_CSV, RESERVED_NAMES, Network
from whaledo.execution.engines import choose_engine, remove_left
from whaledo.execution.engines.base import Engine, Order, Sandbox
from whaledo.execution.failure import TAIL_BYTES, Setting, read_failure
from whaledo.execution.log import LogKeeper
from whaledo.execution.records import Check, Code, RunRequest, RunResult, Smoke, Step, Usage, Verdict
from whaledo.execution.required import check_started, require_guarantees
from whaledo.execution.supervisor import Progress, Supervisor
from whaledo.execution.trial import whats_wrong
from whaledo.execution.validation import validate_csv
from whaledo.execution.workspace import Workspace, closed_to_others, hand_over, workspace
from whaledo.execution.zip_source import ZipSource
from whaledo.resources import state_folder


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom to tell while a run goes on. Each is called by the running thread and must return at once.

    Attributes:
        step: a step begins.
        output: the submission printed these bytes.
        progress: what it uses now, about ten times a second.
        cancelled: asked as often; true ends the run.
        told: something deserves a look before anything is started; a line each.
    """

    step: Callable[[Step], None] = lambda _: None
    output: Callable[[bytes], None] = lambda _: None
    progress: Callable[[Progress], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False
    told: Callable[[Sequence[str]], None] = lambda _: None


@dataclass(slots=True)
class _Course:
    """What has become known of a run so far; the result is made from it wherever the run ends."""

    request: RunRequest
    zip: ZipSource
    run_id: str
    started: str
    listener: Listener
    challenge: Challenge
    engine: Engine
    checker: Checker | None = None
    steps: dict[str, float] = field(default_factory=dict)
    submission: dict[str, Any] = field(default_factory=dict)
    engine_record: Mapping[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    rankings: Mapping[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    hidden_files: tuple[str, ...] = ()
    check: Check | None = None
    smoke: Smoke | None = None
    now: Step = Step.UNPACK

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Time a step, and remember that the run is in it."""
        self.now = step
        self.listener.step(step)
        began = time.monotonic()
        try:
            yield
        finally:
            self.steps[step.value] = time.monotonic() - began

    def result(self, ended: Verdict) -> RunResult:
        """The record of the run."""
        return RunResult(
            run_id=self.run_id,
            whaledo=__version__,
            started=self.started,
            verdict=ended,
            engine=self.engine_record,
            submission=self.submission,
            environment=asdict(self.engine.packages),
            data=self.data,
            limits=self.request.limits,
            usage=self.usage,
            steps=self.steps,
            rankings=self.rankings,
            warnings=tuple(self.warnings),
            smoke=self.smoke,
            check=self.check,
        )


def run(request: RunRequest, listener: Listener | None = None, checker: Checker | None = None) -> RunResult:
    """Run one submission, and leave `submission.csv`, `log.txt` and `run.json` in the output folder.

    Args:
        request: what to run.
        listener: whom to tell while it goes on.
        checker: reads the submission; where a caller has started it early, the run needn't wait for it to come up.

    Raises:
        UsageError: there is no such zip, or another run is writing to the output folder.
        BadData: the data folder can't be used.
        MachineError: there is no engine or environment, the output folder can't be written, or the host's walls
            don't reach what the request requires; nothing of the submission was started then.
    """
    with ExitStack() as at_the_end:
        source = ZipSource(Path(request.submission))
        at_the_end.callback(source.close)
        if request.check and checker is None:
            checker = at_the_end.enter_context(Checker())
        started = datetime.now(UTC)
        run_id = f"{started:%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"
        chosen = choose_engine(request, lambda engine: whats_wrong(engine, request, _runs(), run_id))
        course = _Course(
            request,
            source,
            run_id=run_id,
            started=started.isoformat(timespec="seconds"),
            listener=listener or Listener(),
            challenge=load_challenge(Path(request.data)),
            engine=chosen.engine,
            checker=checker if request.check else None,
            warnings=[f"the engine is {chosen.engine.name}, because {each}" for each in chosen.instead_of],
        )
        if course.checker is not None:
            course.checker.ask(request, course.engine.packages)
        if course.warnings:
            course.listener.told(tuple(course.warnings))
        if request.require is not None:
            require_guarantees(request, course.engine, request.require, _runs(), course.run_id)
        return _conduct(course)


def _runs() -> Path:
    return state_folder() / "runs"


def _conduct(course: _Course) -> RunResult:
    """Go through the steps, and write down what became of them."""
    with output.output_folder(Path(course.request.output)) as folder:
        try:
            ended = _run(course, folder)
        except MachineError as error:
            ended = Verdict(Code.PLATFORM_ERROR, course.now, Fault.MACHINE, error.message, error.hint)
        result = course.result(ended)
        output.write_record(folder, result.to_json())
    return result


def _run(course: _Course, folder: Path) -> Verdict:
    with workspace(_runs(), course.run_id, course.engine.name, remove_left) as place:
        view: _View | None = None
        if course.checker is not None:
            with course.step(Step.CHECK):
                view = _lay_out(course, place, folder)
                if refused := _check(course, course.checker):
                    return refused
        with course.step(Step.UNPACK):
            view = view or _lay_out(course, place, folder)
            if refused := _unpack(course, place):
                return refused
        if course.request.smoke_queries and (failed := _smoke(course, course.request.smoke_queries, folder)):
            return failed
        log_fd = output.open_log(folder)
        try:
            output.head_log(log_fd, _heading(course))
            return _execute(course, place, view, folder, LogKeeper(log_fd, course.request.limits.log_bytes))
        finally:
            os.close(log_fd)


def _lay_out(course: _Course, place: Workspace, folder: Path) -> _View:
    """Do all that needs nothing from inside the zip, while the check reads it."""
    view = _show_data(course, place)
    for each in (folder, folder / smoke.FOLDER, folder / smoke.AGAIN):
        output.set_aside(each)
    source = course.zip
    course.submission = {
        "path": course.request.submission,
        "bytes": source.size_bytes,
        "sha256": source.sha256(),
    }
    return view


def _check(course: _Course, checker: Checker) -> Verdict | None:
    """Hear what the check found; a verdict if the submission isn't worth starting."""
    try:
        found = checker.answer(course.listener.cancelled)
    except Cancelled:
        return verdict.cancelled_before()
    if not course.zip.is_unchanged():
        return verdict.changed_zip(course.request.submission, Step.CHECK)
    course.check = found
    if found is None:
        return None
    course.warnings += found.warnings
    refused = verdict.judge_check(found)
    if refused is None and found.warnings:
        course.listener.told(found.warnings)
    return refused


def _smoke(course: _Course, queries: int, folder: Path) -> Verdict | None:
    """Try the submission on a few queries; a verdict if that is the end of it."""

    def run_on(step: Step, data: Path, results: Path) -> RunResult:
        with course.step(step):
            ran = _conduct(_small(course, step, data, results))
        course.engine_record = ran.engine
        return ran

    with workspace(_runs(), f"{course.run_id}-sample", course.engine.name, remove_left) as place:
        course.now = Step.SMOKE
        course.smoke = smoke.try_out(
            course.challenge, queries, place.data, folder, twice=course.request.twice, run_on=run_on
        )
    course.warnings += smoke.warnings_of(course.smoke)
    return smoke.verdict_of(course.smoke)


def _small(course: _Course, step: Step, data: Path, results: Path) -> _Course:
    """The same run on other data, with a name and an output folder of its own."""
    request = replace(course.request, output=str(results), smoke=None, twice=False)
    return _Course(
        request,
        course.zip,
        run_id=f"{course.run_id}-{step.value}",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        listener=replace(course.listener, step=lambda _: None),
        challenge=load_challenge(data),
        engine=course.engine,
        hidden_files=course.hidden_files,  # not even copied, and their absence is explained all the same
    )


def _heading(course: _Course) -> list[str]:
    """What log.txt says first: enough to know later what this was, and to run it again."""
    engine, packages, limits = course.engine, course.engine.packages, course.request.limits
    image = f", image {packages.image} {packages.image_id}" if packages.image else ""
    return [
        f"run {course.run_id} by whaledo {__version__}, engine {engine.name} {engine.version()}",
        f"submission {course.submission['path']}, sha256 {course.submission['sha256']}",
        f"profile {packages.profile}, lock {packages.lock_sha256}{image}",
        "limits " + ", ".join(f"{name} {value}" for name, value in limits.to_json().items()),
    ]


def _unpack(course: _Course, place: Workspace) -> Verdict | None:
    """Open the zip into the run's folder; a verdict if it can't be run."""
    path = course.zip.path
    place.code.mkdir(mode=0o755)
    try:
        listing = extract_archive(path, place.code)
    except BadArchive as error:
        if not course.zip.is_unchanged():
            return verdict.changed_zip(course.request.submission, Step.UNPACK)
        details = tuple(str(problem) for problem in error.problems)
        return Verdict(
            Code.BAD_ARCHIVE, Step.UNPACK, Fault.SUBMISSION, error.message, error.hint, details=details
        )
    if not course.zip.is_unchanged():
        return verdict.changed_zip(course.request.submission, Step.UNPACK)
    course.submission["files"] = listing.files
    main = find_main(listing.members)
    if not main.found:
        return Verdict(Code.NO_MAIN, Step.UNPACK, Fault.SUBMISSION, main.message, main.hint)
    for reserved in RESERVED_NAMES:
        (place.code / reserved).mkdir(exist_ok=True)
    hand_over(place.code, place.uid)
    return None


def _show_data(course: _Course, place: Workspace) -> _View:
    """Lay out what the run sees of the data folder."""
    offline = course.request.network is Network.NONE
    if course.request.show_identities:
        everything = course.challenge.folder.resolve()
        course.data = {"folder": course.request.data, "hidden_columns": [], "hidden_files": []}
        course.warnings.append(
            "the whole data folder was shown, identities and labels too: such a run says nothing about a score"
        )
        place.data.mkdir()
        return _View((("", everything),), Setting(course.engine.packages.profile, (), (), offline))
    place.data.mkdir()
    view = make_public_view(course.challenge, place.data)
    hand_over(place.data, place.uid)
    if place.uid != os.geteuid():
        _check_readable(course.challenge, view)
    course.hidden_files += view.hidden_files
    course.data = {
        "folder": course.request.data,
        "hidden_columns": list(view.hidden_columns),
        "hidden_files": list(course.hidden_files),
    }
    setting = Setting(course.engine.packages.profile, view.hidden_columns, course.hidden_files, offline)
    return _View(view.image_folders, setting)


def _check_readable(challenge: Challenge, view: PublicView) -> None:
    """Refuse photographs that root may read and the run's user may not."""
    photographs = (challenge.folder / image.path for image in challenge.images.values())
    closed = closed_to_others((*(folder for _, folder in view.image_folders), *photographs))
    if closed:
        raise BadData(
            f"{challenge.folder}: a run started by root goes on as an unprivileged user, who can't read the images",
            hint="open them to other users: chmod -R o+rX "
            + " ".join(str(folder) for _, folder in view.image_folders),
            problems=closed,
        )


@dataclass(frozen=True, slots=True)
class _View:
    """What of the data folder is mounted where, and what explains a failure to find the rest."""

    mounts: tuple[tuple[str, Path], ...]
    setting: Setting


def _execute(course: _Course, place: Workspace, view: _View, folder: Path, log: LogKeeper) -> Verdict:
    """Start, watch, judge, and fetch what was written."""
    request = course.request
    order = Order(course.run_id, place, view.mounts, request.limits, request.network)
    sandbox: Sandbox | None = None
    try:
        with course.step(Step.START):
            sandbox = course.engine.start(order)
            course.engine_record = _engine_record(course.engine, sandbox)
            if request.require is not None:
                check_started(sandbox.guarantees, request.require)
        with course.step(Step.RUN):
            failed = _watch(course, sandbox, log, view.setting)
        if failed is not None:
            return failed
        with course.step(Step.COLLECT):
            try:
                collected = collect_csv(sandbox.submission_fd, folder / OUTPUT_CSV)
            except NoOutput as nothing:
                return verdict.no_output(str(nothing))
            except HostileOutput as hostile:
                return verdict.hostile_output(str(hostile))
    finally:
        if sandbox is not None:
            sandbox.close()
    with course.step(Step.VALIDATE):
        return _validate(course, folder / OUTPUT_CSV, collected)


def _watch(course: _Course, sandbox: Sandbox, log: LogKeeper, setting: Setting) -> Verdict | None:
    listener, limits = course.listener, course.request.limits
    supervisor = Supervisor(
        sandbox,
        log,
        limits,
        on_output=listener.output,
        on_progress=listener.progress,
        cancelled=listener.cancelled,
    )
    watched = supervisor.watch()
    ending = sandbox.finish()
    tail = log.last(TAIL_BYTES)
    figures = log.close()
    course.usage = replace(watched.usage, log_dropped_bytes=figures.dropped_bytes)
    evidence = verdict.Evidence(
        watched=watched,
        ending=ending,
        limits=limits,
        failure=read_failure(tail),
        log_error=figures.error,
        last_words=_last_words(tail),
        setting=setting,
    )
    failed = verdict.judge_run(evidence)
    if failed is None:
        course.warnings += verdict.warnings_of(evidence)
    return failed


def _last_words(tail: bytes) -> str:
    lines = [line.strip() for line in tail.decode(errors="replace").splitlines()]
    return next((line[:200] for line in reversed(lines) if line), "")


def _engine_record(engine: Engine, sandbox: Sandbox) -> dict[str, Any]:
    held = {name.value: {"level": h.level.value, "by": h.by} for name, h in sandbox.guarantees.items()}
    return {"name": engine.name, "version": engine.version(), "guarantees": held}


def _validate(course: _Course, csv: Path, collected: Collected) -> Verdict:
    """Hold the csv to the rules, in a process of its own."""
    checked = validate_csv(csv, course.challenge.folder, course.listener.cancelled)
    if checked is None:
        return verdict.cancelled_check()
    course.rankings = {
        "bytes": collected.size_bytes,
        "sha256": collected.sha256,
        "rows": checked.rows,
        "queries": checked.queries,
        "unanswered": checked.unanswered,
    }
    course.warnings += checked.warnings
    if checked.errors:
        return verdict.invalid_output(checked.errors, checked.details)
    return verdict.ok(checked.queries, checked.unanswered)
