"""The `whaledo` command: one Typer application, each group of commands in a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from whaledo import __version__
from whaledo.cli import run

app = typer.Typer(
    name="whaledo",
    help="Run photo-identification submissions offline and walled in, check what they wrote, and score it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(run.run)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app()
