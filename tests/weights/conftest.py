"""What tests of weights share: a submission's folder, a server, and a Python with torch."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whaledo.errors import MachineError
from whaledo.weights.export import find_python

ONNX = b"\x08\x0a\x12\x07pytorch" + bytes(5000)
"""Begins as ONNX files do."""


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """A submission's folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "main.py").write_text("")
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which its files are."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(ONNX)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def torch_python() -> Path:
    """A Python that can export: `WHALEDO_TORCH_PYTHON`, or that of a built environment."""
    given = os.environ.get("WHALEDO_TORCH_PYTHON")
    try:
        python = Path(given) if given else find_python()
    except MachineError as error:
        pytest.skip(f"no torch here: {error.message} (or set WHALEDO_TORCH_PYTHON)")
    code = "import torch, onnx, onnxscript, onnxruntime"
    tried = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    if tried.returncode:
        pytest.skip(f"{python} can't export: {tried.stderr.strip().splitlines()[-1]}")
    return python
