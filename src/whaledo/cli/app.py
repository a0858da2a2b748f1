"""The `whaledo` command: one Typer application, each group of commands in a file of its own.

Importing all of them takes as long as importing numpy, so a command line that names one imports that file alone.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from whaledo import __version__
from whaledo.errors import Fault

COMMANDS = {
    "demo": "demo:demo",
    "pack": "pack:pack",
    "check": "check:check",
    "run": "run:run",
    "score": "score:score",
    "compare": "score:compare",
    "report": "report:report",
    "doctor": "doctor:doctor",
    "weights": "weights:weights",
}
"""Each command by name: the file in this folder, and the function in it."""

GROUPS = {
    "data": (
        "Make or look at a challenge.",
        {
            "build": "data_build:build",
            "check": "data:check",
            "demo": "data_demo:demo",
            "download": "data_download:download",
        },
    ),
    "env": (
        "The packages that submissions run with.",
        {
            "add": "env:add",
            "build": "env:build",
            "diff": "env:diff",
            "list": "env:list_packages",
            "lock": "env:lock",
            "test": "env:run_tests",
        },
    ),
    "image": (
        "The container images of the runtime.",
        {"build": "image:build", "pull": "image:pull", "list": "image:list_here", "shell": "image:shell"},
    ),
}
"""Commands that stand together: what they are about, and each of them by name."""


def application(wanted: str | None = None) -> typer.Typer:
    """The command line.

    Args:
        wanted: the only command or group that is needed; anything else makes all of them.
    """
    app = typer.Typer(
        name="whaledo",
        help="Run photo-identification submissions offline and walled in, check what they wrote, and score it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_options)
    everything = wanted not in {*COMMANDS, *GROUPS}
    for name, where in COMMANDS.items():
        if everything or name == wanted:
            _add(app, name, where)
    for name, (about, commands) in GROUPS.items():
        if everything or name == wanted:
            group = typer.Typer(no_args_is_help=True, help=about)
            for each, where in commands.items():
                _add(group, each, where)
            app.add_typer(group, name=name)
    return app


def _add(app: typer.Typer, name: str, where: str) -> None:
    module, _, function = where.partition(":")
    app.command(name)(getattr(importlib.import_module(f"whaledo.cli.{module}"), function))


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line, and leave at once: taking numpy and pyarrow apart costs a tenth of `whaledo score`.

    pyarrow has also aborted there, now and then, with everything said and done.
    """
    status = _run()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it (`| head`) has gone
            stream.flush()
    os._exit(status)


def _run() -> int:
    """The exit status of the command; what nobody foresaw is our fault, and says so with all that is known."""
    try:
        application(sys.argv[1] if len(sys.argv) > 1 else None)()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception:
        import traceback

        typer.echo(traceback.format_exc(), err=True)
        typer.secho(
            f"✗ this is a fault of whaledo {__version__}, not yours: please report it with the lines above",
            fg="red",
            err=True,
        )
        return Fault.MACHINE.exit_status
    return 0
