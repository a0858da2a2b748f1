"""`whaledo run`: one submission, from its zip to a verdict."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering
from whaledo.execution.check import Checker
from whaledo.execution.contract import LOG, OUTPUT_CSV, RECORD, Limits, Network
from whaledo.execution.records import SMOKE_QUERIES, Level
from whaledo.units import parse_duration, parse_size, show_duration, show_size

if TYPE_CHECKING:
    from whaledo.execution.records import RunResult, Smoke
    from whaledo.execution.runner import Listener

DEFAULTS = Limits()
IMAGE_VARIABLE = "SUBMISSION_IMAGE"
"""The variable that competitors know from the Makefile."""


def run(
    submission: Annotated[Path, typer.Argument(help="The zip to run.", metavar="ZIP")],
    data: Annotated[Path, typer.Option(help="The data folder.")] = Path("data"),
    output: Annotated[Path, typer.Option(help="Where the csv, the log and the record go.")] = Path(
        "submission"
    ),
    engine: Annotated[str, typer.Option(help="auto, bubblewrap, docker or podman.")] = "auto",
    profile: Annotated[str, typer.Option(help="auto, core, cpu or gpu: the packages to run with.")] = "auto",
    image: Annotated[
        str | None, typer.Option(help="A container image to use instead.", envvar=IMAGE_VARIABLE)
    ] = None,
    gpu: Annotated[
        bool | None, typer.Option("--gpu/--no-gpu", help="Show GPUs; left out: where the profile wants them.")
    ] = None,
    timeout: Annotated[str, typer.Option(help="Time limit, such as 3h, 90m or 45s.")] = "3h",
    memory: Annotated[str, typer.Option(help="Memory of all processes together.")] = "8g",
    cpus: Annotated[float | None, typer.Option(help="Processors; all of the host's if left out.")] = None,
    pids: Annotated[int, typer.Option(help="Processes and threads.")] = DEFAULTS.processes,
    disk: Annotated[str, typer.Option(help="What may be written, all places together.")] = "4g",
    log_limit: Annotated[str, typer.Option(help="What is kept of the output.")] = "20m",
    shm_size: Annotated[str, typer.Option(help="Size of /dev/shm.")] = "8g",
    network: Annotated[Network, typer.Option(help="What the code can reach.")] = Network.NONE,
    show_identities: Annotated[
        bool, typer.Option("--show-identities", help="Show the code the whole data folder, for debugging.")
    ] = False,
    smoke: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Try it first on N queries of each scenario, and run it if that is ok."
        ),
    ] = None,
    twice: Annotated[
        bool,
        typer.Option(
            "--twice",
            help=f"Try it twice and compare what it answers; without --smoke on {SMOKE_QUERIES} queries.",
        ),
    ] = False,
    require: Annotated[
        Level | None,
        typer.Option(
            metavar="LEVEL", help="Start nothing unless every wall is `enforced` (or `best_effort`)."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check", help="Start nothing that is certain to fail (see `whaledo check`)."
        ),
    ] = True,
    score: Annotated[
        bool, typer.Option("--score", help="Score a valid csv at once, where the data has the right answers.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Run a submission walled in, and leave submission.csv, log.txt and run.json in the output folder."""
    with answering(json) as answer, ExitStack() as at_the_end:
        checker = at_the_end.enter_context(Checker()) if check else None  # comes up during these imports
        from whaledo.execution import runner
        from whaledo.execution.records import RunRequest

        limits = Limits(
            wall_s=parse_duration(timeout),
            memory_bytes=parse_size(memory),
            cpus=cpus,
            processes=pids,
            disk_bytes=parse_size(disk),
            log_bytes=parse_size(log_limit),
            shm_bytes=parse_size(shm_size),
        )
        request = RunRequest(
            str(submission),
            str(data),
            str(output),
            engine,
            profile,
            limits,
            network,
            show_identities,
            image or None,
            gpu,
            smoke,
            twice,
            require,
            check,
        )
        with listening(answer) as listener:
            result = runner.run(request, listener, checker)
        say_result(result, output, answer)
        answer.document(result.to_json())
        if score and result.verdict.code == "ok":
            _score(output, data, result, answer)


def _score(output: Path, data: Path, result: RunResult, answer: Answer) -> None:
    from whaledo.challenge.load import load_challenge
    from whaledo.cli.score_screen import say_score
    from whaledo.scoring.score import ScoreRequest, score

    answer.say()
    if load_challenge(data).identity_column is None:
        answer.say(
            f"not scored: {data / 'metadata.csv'} doesn't say which animals are on the photographs; with a file "
            f"of labels: whaledo score {output / 'submission.csv'} LABELS.csv --data {data}"
        )
        return
    scored = score(ScoreRequest(str(output / "submission.csv"), data=str(data)))
    say_score(scored, answer)
    answer.document({**result.to_json(), "score": scored.to_json()})


@contextmanager
def listening(answer: Answer) -> Iterator[Listener]:
    """Show a run on the screen while it goes on; Ctrl-C, SIGTERM and a lost terminal cancel it."""
    from whaledo.cli.run_screen import RunScreen
    from whaledo.execution.runner import Listener

    with _cancelling() as received, RunScreen(sys.stderr if answer.json else sys.stdout) as screen:
        yield Listener(screen.step, screen.output, screen.progress, lambda: bool(received), screen.told)


@contextmanager
def _cancelling() -> Iterator[list[int]]:
    """Collect the signals that ask us to stop, instead of dying of them."""
    received: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {
        number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_result(result: RunResult, output: Path, answer: Answer) -> None:
    """Say how a run ended, what it used, which walls weren't whole, and where everything is."""
    ended = result.verdict
    good = ended.code == "ok"
    answer.say()
    answer.say(f"{'✓' if good else '✗'} {ended.code}: {ended.message}", style="green" if good else "red")
    for line in ended.details:
        answer.say(f"  ✗ {line}")
    if ended.hint:
        answer.say(f"  → {ended.hint}")
    if not ended.proven:
        answer.say("  (read from the log, which the submission wrote: likely, not proven)")
    for warning in _still_to_say(result):
        answer.say(f"  ! {warning}", style="yellow")
    if result.smoke is not None:
        answer.say(f"  {smoke_line(result.smoke)}")
    if result.usage.wall_s:
        answer.say(f"  {usage_line(result)}")
    weak = [(name, held) for name, held in _guarantees(result) if held["level"] != "enforced"]
    for name, held in weak:
        answer.say(f"  {name}: {held['level'].replace('_', ' ')} ({held['by']})", style="yellow")
    folders = [output] if result.smoke is None else [output, output / result.smoke.folder]
    left = [folder / name for folder in folders for name in (OUTPUT_CSV, LOG, RECORD)]
    answer.say(f"  {', '.join(str(path) for path in left if path.exists())}")
    answer.exit_status = 0 if good else ended.fault.exit_status if ended.fault else 1


def _still_to_say(result: RunResult) -> Iterator[str]:
    """The warnings of a run; those of the check were shown before it, and may explain how it ended if it failed."""
    from whaledo.challenge.problems import counted

    checked = result.check.warnings if result.check is not None and result.verdict.code == "ok" else ()
    yield from (warning for warning in result.warnings if warning not in checked)
    if checked:
        yield f"{counted(len(checked), 'warning')} before the run: see above, or `whaledo check`"


def _guarantees(result: RunResult) -> list[tuple[str, dict[str, str]]]:
    return list(result.engine.get("guarantees", {}).items())


def smoke_line(smoke: Smoke) -> str:
    """How the smoke run went and, where it was run twice, whether it answered alike."""
    from whaledo.execution.smoke import counted_queries, describe

    first = smoke.first
    seconds = sum(first.steps.values())
    text = f"smoke: {first.verdict.code} on {counted_queries(smoke.queries)} in {show_duration(seconds)}"
    if smoke.comparison is not None:
        text += f"; twice: {describe(smoke.comparison)}"
    return text


def usage_line(result: RunResult) -> str:
    """What a run used of its limits, in one line."""
    usage, limits = result.usage, result.limits
    parts = [f"{show_duration(usage.wall_s)} of {show_duration(limits.wall_s)}"]
    if usage.peak_memory_bytes is not None:
        parts.append(f"memory {show_size(usage.peak_memory_bytes)} of {show_size(limits.memory_bytes)}")
    if usage.max_processes is not None:
        parts.append(f"{usage.max_processes} of {limits.processes} processes and threads")
    if usage.output_bytes is not None:
        parts.append(f"wrote {show_size(usage.output_bytes)} of {show_size(limits.disk_bytes)}")
    parts.append(f"printed {show_size(usage.log_bytes)}")
    return " · ".join(parts)
