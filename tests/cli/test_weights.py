"""`whaledo weights`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.weights import weights
from whaledo.weights.sources import PUBLISHED

SETTINGS = ("--size", "64x48", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where an ONNX file is served."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    (tmp_path / "net.onnx").write_bytes(b"\x08\x0a" + bytes(500))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/net.onnx"
    server.shutdown()
    thread.join()
    server.server_close()


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(weights)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_without_arguments_the_known_models_are_listed_with_their_licences() -> None:
    result = run()
    assert result.exit_code == 0
    for name, model in PUBLISHED.items():
        assert name in result.stdout
        assert model.licence in result.stdout


def test_json_lists_the_known_models_for_programs() -> None:
    assert set(json.loads(run("--json").stdout)) == set(PUBLISHED)


def test_a_person_reads_licence_checksum_and_what_to_do_next(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    result = run(url, folder, *SETTINGS, "--licence", "MIT")
    assert result.exit_code == 0
    assert "Licence: MIT" in result.stdout
    assert "whaledo pack" in result.stdout
    assert "wasn't compared with a checksum" in result.stderr
    assert (folder / "model.onnx").exists()


def test_json_is_one_document(url: str, tmp_path: Path) -> None:
    document = json.loads(run(url, tmp_path, *SETTINGS, "--json").stdout)
    assert document["input_size"] == [64, 48]
    assert document["verified"] is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("timm:resnet50",), "no folder was named"),
        (("nothing", "."), "there is no model"),
        (("timm:resnet50", ".", "--size", "big"), "is no size"),
        (("timm:resnet50", ".", "--std", "1,2"), "isn't three numbers"),
    ],
)
def test_what_makes_no_sense_is_told_and_is_the_users_to_mend(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
