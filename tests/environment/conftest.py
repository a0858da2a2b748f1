"""A runtime folder with one tiny locked package, so that environments build in a blink and offline."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from whaledo import resources
from whaledo.environment import catalogue, profiles, self_test
from whaledo.environment.locking import lock_all

TINY = "NAME = 'tiny'\n\ndef main():\n    print(__file__)\n"


def _record_line(name: str, content: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"


def write_wheel(
    folder: Path, name: str, modules: Mapping[str, str], *, version: str = "1.0", metadata: Sequence[str] = ()
) -> Path:
    """Write `<name>-<version>-py3-none-any.whl` with these modules: path inside the wheel to source."""
    info = f"{name}-{version}.dist-info"
    about = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]
    files = {
        **modules,
        f"{info}/METADATA": "\n".join(about),
        f"{info}/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "\n".join([*(_record_line(*file) for file in files.items()), f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path), content)  # without the time: the same bytes in every test
    return wheel


def pin(wheel: Path) -> str:
    """The entry of a wheel in a lock."""
    name, version = wheel.name.split("-")[:2]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name.replace('_', '-')}=={version} \\\n    --hash=sha256:{digest}\n"


@dataclass
class Runtime:
    """A runtime folder of the test's own.

    Attributes:
        folder: holds `environment-tiny.lock`, which pins `tiny-whale`, imported as `tiny`.
        home: what `WHALEDO_HOME` is set to.
        wheels: the only place where uv finds packages.
    """

    folder: Path
    home: Path
    wheels: Path

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
    made = Runtime(tmp_path / "runtime", tmp_path / "home", tmp_path / "wheels")
    made.folder.mkdir()
    made.wheels.mkdir()
    made.lock.write_text(pin(write_wheel(made.wheels, "tiny_whale", {"tiny/__init__.py": TINY})))
    for module in (profiles, catalogue, self_test):
        monkeypatch.setattr(module, "runtime_folder", lambda: made.folder)
    monkeypatch.setenv(resources.HOME_VARIABLE, str(made.home))
    monkeypatch.setenv("UV_FIND_LINKS", str(made.wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return made


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for uv that tests share, so that it asks the interpreter only once."""
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def sources(runtime: Runtime, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The three profiles of a tiny field: `echo` in all of them, and `net`, which needs torch, in `cpu` and `gpu`.

    torch is there as on a machine whose find-links hold its CPU build: both builds side by side.
    """
    monkeypatch.setenv("UV_CACHE_DIR", str(shared_cache))
    wheels = runtime.wheels
    for version in ("1.0", "2.0"):
        write_wheel(wheels, "echo", {"echo/__init__.py": ""}, version=version, metadata=["License: MIT"])
        needs = [f"Requires-Dist: torch{'<2' if version == '1.0' else '>=2'}"]
        write_wheel(wheels, "net", {"net_lib/__init__.py": "x = 1\n"}, version=version, metadata=needs)
    write_wheel(wheels, "nvidia_cuda_runtime", {"nvidia/cuda.py": ""}, version="13.0.96")
    for version in ("1.5", "2.5"):
        needs = ["Requires-Dist: nvidia-cuda-runtime", "Requires-Dist: echo"]
        write_wheel(wheels, "torch", {"torch/__init__.py": ""}, version=version, metadata=needs)
    cpu_build = write_wheel(wheels, "torch", {"torch/__init__.py": ""}, version="1.5+cpu")
    files = {
        "environment.in": "# What all have.\n\necho<2   # hears whales\n",
        "environment-core.in": "-r environment.in\n",
        "environment-cpu.in": "# The field's.\n\n-r environment.in\nnet      # embeds them\n",
        "environment-gpu.in": "-r environment-cpu.in\n",
        "torch-cpu.lock": pin(cpu_build),
    }
    for name, text in files.items():
        (runtime.folder / name).write_text(text)
    runtime.lock.unlink()
    return runtime


_LOCKED: dict[str, bytes] = {}


@pytest.fixture
def locked(sources: Runtime) -> Runtime:
    """The tiny field, locked; compiled once, because its wheels are the same bytes in every test."""
    if not _LOCKED:
        lock_all(sources.folder)
        _LOCKED.update((path.name, path.read_bytes()) for path in sources.folder.iterdir())
    for name, content in _LOCKED.items():
        (sources.folder / name).write_bytes(content)
    return sources
