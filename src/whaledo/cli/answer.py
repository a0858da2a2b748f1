"""How every command answers: text for people, and with `--json` exactly one JSON document on stdout.

A command does its work inside `with answering(json) as answer:`. People's text goes through `answer.say`; it
moves to stderr when stdout is for the document. A `WhaledoError` that leaves the block is printed with its
place, its reason and its fix, and sets the exit status by whose fault it is: here and nowhere else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from whaledo.errors import Problems, Severity, WhaledoError

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and people's text on stderr.")
]


class Answer:
    """What a command says, and how it ends.

    Attributes:
        json: whether stdout is for the one JSON document.
        exit_status: 0 unless the command sets another.
    """

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.exit_status = 0
        self._document: Mapping[str, Any] | None = None

    def say(self, text: str = "", *, style: str | None = None, newline: bool = True) -> None:
        """Print a line of text for people; `style` is a colour name, left out where there is no terminal."""
        typer.secho(visible(text), fg=style, err=self.json, nl=newline)

    def warn(self, text: str) -> None:
        """Print a warning for people, always on stderr."""
        typer.secho(visible(text), fg="yellow", err=True)

    def document(self, document: Mapping[str, Any]) -> None:
        """Set the JSON document; printed at the end, with `--json` only."""
        self._document = document

    def problems(self, problems: Problems) -> None:
        """Print problems, one a line under a mark, with the number of those that are not shown."""
        for line in _problem_lines(problems):
            self.say(line)

    def error(self, error: WhaledoError) -> None:
        """Print an error with its problems and its fix, and set the exit status by its fault."""
        typer.secho(f"✗ {visible(error.message)}", fg="red", err=True)
        if not _says_it_all(error):
            for line in _problem_lines(error.problems):
                typer.secho(visible(line), err=True)
        if error.hint:
            typer.secho(f"  → {visible(error.hint)}", err=True)
        self.exit_status = error.fault.exit_status
        self.document({"error": error_json(error)})

    def finish(self) -> None:
        """Print the document where it is asked for, and leave the program with the exit status."""
        if self.json:
            import json  # not for every command: it takes a hundredth of `whaledo score`

            sys.stdout.write(json.dumps(self._document or {}, indent=2, ensure_ascii=False) + "\n")
        raise typer.Exit(self.exit_status)


def _says_it_all(error: WhaledoError) -> bool:
    """Whether the headline already holds the only problem."""
    problems = list(error.problems)
    return len(problems) == 1 and problems[0].message in error.message and not problems[0].hint


def _problem_lines(problems: Problems) -> Iterator[str]:
    for (severity, _), kind in problems.kinds.items():
        for problem in kind.shown:
            yield f"  {'✗' if severity is Severity.ERROR else '!'} {problem}"
        if (left := kind.total - len(kind.shown)) > 0:
            yield f"    … and {left:,} more like these"


def error_json(error: WhaledoError) -> dict[str, Any]:
    """An error as JSON: `kind`, `fault`, `message`, `hint`, `problems`."""
    return {
        "kind": type(error).__name__,
        "fault": error.fault.value,
        "message": error.message,
        "hint": error.hint,
        "problems": error.problems.to_json(),
    }


def visible(text: str) -> str:
    """The text with everything that could steer a terminal made visible; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


@contextmanager
def answering(json: bool) -> Iterator[Answer]:
    """Run a command's work; print what it says and leave the program with its exit status.

    Raises:
        typer.Exit: always, with the exit status of the contract.
    """
    answer = Answer(json=json)
    try:
        yield answer
    except WhaledoError as error:
        answer.error(error)
    except BrokenPipeError:
        # Whoever read our output (`| head`) has gone: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    answer.finish()
