"""`whaledo data download`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.data_download import download


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *_: object) -> None:
        pass


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(download)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A tiny archive in the form of the publisher's."""
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "date_captured": "NA"}],
        "annotations": [{"id": 1, "image_id": 1, "name": "whale007"}],
    }
    content = json.dumps(document).encode()
    path = tmp_path / "served" / "belugas.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("beluga.coco/annotations/instances_train2022.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def url(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the archive is served."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(archive.parent)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/belugas.tar.gz"
    server.shutdown()
    thread.join()
    server.server_close()


def test_licence_credit_and_the_missing_checksum_are_said(url: str, archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "belugas"
    result = run(folder, "--url", url)
    assert result.exit_code == 0, result.stderr
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert f"sha256 {sha256}" in result.stdout
    assert "Licence: Community Data License Agreement" in result.stdout
    assert "Credit: Beluga ID 2022" in result.stdout
    assert f"A challenge of them: whaledo data build {folder}/table.csv data" in result.stdout
    assert "wasn't compared with a published checksum" in result.stderr
    result = run(tmp_path / "again", "--url", url, "--sha256", sha256)
    assert (result.exit_code, result.stderr) == (0, "")


def test_address_and_checksum_can_come_from_the_environment(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHALEDO_BELUGA_URL", url)
    monkeypatch.setenv("WHALEDO_BELUGA_SHA256", "0" * 64)
    result = run(tmp_path / "belugas")
    assert result.exit_code == 1
    assert f"{url} isn't the file that it should be" in result.stderr


def test_json_is_one_document_and_nothing_else_on_stdout(url: str, tmp_path: Path) -> None:
    result = run(tmp_path / "belugas", "--url", url, "--json")
    document = json.loads(result.stdout)
    assert (document["url"], document["verified"], document["photographs"]) == (url, False, 1)
    assert document["licence_url"].startswith("https://")


def test_a_file_that_isnt_there_is_no_fault_of_the_person(url: str, tmp_path: Path) -> None:
    result = run(tmp_path / "belugas", "--url", url.replace("belugas", "gone"))
    assert result.exit_code == 3
    assert "the server answered 404" in result.stderr
    assert "--url" in result.stderr
