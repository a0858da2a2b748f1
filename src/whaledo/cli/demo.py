"""`whaledo demo`: the whole way in one go, without arguments, data or Docker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering

if TYPE_CHECKING:
    from whaledo.demo import Demo


def demo(
    folder: Annotated[Path, typer.Argument(help="Where everything goes.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other belugas.")] = 0,
    json: JsonOption = False,
) -> None:
    """Draw a small challenge, pack the quickstart, run it walled in, score it, and write its report."""
    from whaledo.cli.progress import progress_bar
    from whaledo.cli.run import listening, say_result
    from whaledo.cli.score_screen import say_score
    from whaledo.demo import DemoListener, run_demo

    with answering(json) as answer:
        with progress_bar("Drawing belugas") as drawing, listening(answer) as run_listener:
            listener = DemoListener(
                drawing=drawing,
                drawn=lambda data, before: answer.say(
                    f"1. The challenge: synthetic belugas in {data}"
                    + (", as they were drawn before" if before else ""),
                    style="cyan",
                ),
                packed=lambda packed: answer.say(
                    f"2. The submission: the quickstart, {packed.path}\n3. The run, walled in:", style="cyan"
                ),
                run=run_listener,
            )
            made = run_demo(folder, seed=seed, listener=listener)
        say_result(made.result, made.output, answer)
        if made.score is not None:
            answer.say("4. The score of rankings at random:", style="cyan")
            say_score(made.score, answer)
        _say_what_next(made, answer)
        answer.document(
            {
                "data": str(made.data),
                "submission": str(made.packed.path),
                "output": str(made.output),
                "run": made.result.to_json(),
                "score": made.score and made.score.to_json(),
                "report": made.report.to_json(),
            }
        )


def _say_what_next(made: Demo, answer: Answer) -> None:
    zip_path, data = made.packed.path, made.data
    answer.say()
    answer.say("What was made", style="cyan")
    answer.say(f"  {data / 'images'}  the photographs: look at them")
    answer.say(f"  {made.output / 'submission.csv'}  the rankings; log.txt and run.json lie beside it")
    answer.say(f"  {made.report.path}  the report: every query beside its ranked candidates")
    answer.say("What to try next", style="cyan")
    answer.say(f"  open {made.report.path} in a browser")
    answer.say(f"  whaledo run {zip_path} --data {data} --timeout 1s   what a limit does")
    answer.say(f"  whaledo score {made.output / 'submission.csv'} --data {data} --official")
    answer.say("  write your model into submission_src/main.py, then `make pack-submission test-submission`")
    answer.say(f"  (whaledo is .venv/bin/whaledo; DATA={data} lets make use these photographs)")
