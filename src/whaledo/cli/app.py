"""The `whaledo` command: one Typer application, each group of commands in a file of its own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from whaledo import __version__
from whaledo.cli import data, data_build, data_demo, data_download, demo, env, image, pack, report, run, score
from whaledo.errors import Fault

app = typer.Typer(
    name="whaledo",
    help="Run photo-identification submissions offline and walled in, check what they wrote, and score it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
data_app = typer.Typer(no_args_is_help=True, help="Make or look at a challenge.")
data_app.command("build")(data_build.build)
data_app.command("check")(data.check)
data_app.command("demo")(data_demo.demo)
data_app.command("download")(data_download.download)
env_app = typer.Typer(no_args_is_help=True, help="The packages that submissions run with.")
env_app.command("add")(env.add)
env_app.command("build")(env.build)
env_app.command("diff")(env.diff)
env_app.command("list")(env.list_packages)
env_app.command("lock")(env.lock)
env_app.command("test")(env.run_tests)
image_app = typer.Typer(no_args_is_help=True, help="The container images of the runtime.")
image_app.command("build")(image.build)
image_app.command("pull")(image.pull)
image_app.command("list")(image.list_here)
image_app.command("shell")(image.shell)

app.command()(demo.demo)
app.command()(pack.pack)
app.command()(run.run)
app.command()(score.score)
app.command()(score.compare)
app.command()(report.report)
app.add_typer(data_app, name="data")
app.add_typer(env_app, name="env")
app.add_typer(image_app, name="image")


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
    """Run the command line; what nobody foresaw is our fault, and says so with all that is known of it."""
    try:
        app()
    except Exception:
        import traceback

        typer.echo(traceback.format_exc(), err=True)
        typer.secho(
            f"✗ this is a fault of whaledo {__version__}, not yours: please report it with the lines above",
            fg="red",
            err=True,
        )
        sys.exit(Fault.MACHINE.exit_status)
