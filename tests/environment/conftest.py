"""A runtime folder with one tiny locked package, so that environments build in a blink and offline."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from whaledo import resources
from whaledo.environment import profiles

TINY = "NAME = 'tiny'\n\ndef main():\n    print(__file__)\n"


def _record_line(name: str, content: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"


def write_wheel(folder: Path, name: str, modules: Mapping[str, str]) -> Path:
    """Write `<name>-1.0-py3-none-any.whl` with these modules: path inside the wheel to source."""
    info = f"{name}-1.0.dist-info"
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "\n".join([*(_record_line(*file) for file in files.items()), f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, content)
    return wheel


@dataclass
class Runtime:
    """A runtime folder of the test's own.

    Attributes:
        folder: holds `environment-tiny.lock`, which pins `tiny-whale`, imported as `tiny`.
        home: what `WHALEDO_HOME` is set to.
    """

    folder: Path
    home: Path

    @property
    def lock(self) -> Path:
        return self.folder / "environment-tiny.lock"

    @property
    def environments(self) -> Path:
        return self.home / "environments"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The tiny profile in place of the real ones; uv may not go online."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # pytest closes its folders, and root builds only where others may enter
    made = Runtime(tmp_path / "runtime", tmp_path / "home")
    made.folder.mkdir()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = write_wheel(wheels, "tiny_whale", {"tiny/__init__.py": TINY})
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    made.lock.write_text(f"tiny-whale==1.0 \\\n    --hash=sha256:{digest}\n")
    monkeypatch.setattr(profiles, "runtime_folder", lambda: made.folder)
    monkeypatch.setenv(resources.HOME_VARIABLE, str(made.home))
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return made
