"""What the repository promises about itself: its locks, its documents, its package as a whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from whaledo.cli.app import COMMANDS, GROUPS, application
from whaledo.environment.profiles import pins

REPOSITORY = Path(__file__).resolve().parents[1]
LOCKS = sorted([*REPOSITORY.glob("requirements/*.lock"), *REPOSITORY.glob("runtime/*.lock")])
SOURCES = sorted(REPOSITORY.glob("runtime/*.in"))
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
HEAVY = ("numpy", "pyarrow", "pandas", "PIL", "jinja2", "scipy", "sklearn", "httpx", "hypothesis", "pytest")

PIN_LINE = re.compile(
    r"[a-z0-9][a-z0-9.-]*==[\w.!+]+( ; [\w\s'\".<>=!()]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
)


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))


def names(requirements: list[str]) -> set[str]:
    return {match[0] for line in requirements if (match := re.match(r"[\w.-]+", line))}


def runtime_requirements(source: Path) -> list[str]:
    """The packages that a source of the runtime names itself, each with its reason."""
    return [
        line for line in source.read_text("utf-8").splitlines() if line and not line.startswith(("#", "-r "))
    ]


def locked(name: str) -> dict[str, str]:
    return pins((REPOSITORY / name).read_text("utf-8"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_pins_and_hashes_and_no_host_or_path(lock: Path) -> None:
    lines = lock.read_text("utf-8").splitlines()

    assert [line for line in lines if not PIN_LINE.fullmatch(line)] == []
    assert sum("--hash" in line for line in lines) >= sum("==" in line for line in lines)


def test_the_locks_pin_all_that_is_declared() -> None:
    declared = names(project()["project"]["dependencies"])
    developing = names(project()["dependency-groups"]["dev"])

    assert declared <= locked("requirements/whaledo.lock").keys()
    assert declared | developing <= locked("requirements/dev.lock").keys()
    for source in SOURCES:
        profile = "core" if source.stem == "environment" else source.stem.removeprefix("environment-")
        wanted = names(runtime_requirements(source))
        lock = "build.lock" if source.stem == "build" else f"environment-{profile}.lock"
        assert wanted <= locked(f"runtime/{lock}").keys()


def test_whaledo_is_developed_with_the_versions_that_it_is_used_with() -> None:
    used = locked("requirements/whaledo.lock")

    assert used.items() <= locked("requirements/dev.lock").items()


def test_every_package_that_submissions_get_says_why() -> None:
    lines = [line for source in SOURCES for line in runtime_requirements(source)]
    assert [line for line in lines if not re.search(r"  # \w+", line)] == []


def test_every_dependency_has_a_row_with_its_reason() -> None:
    table = (REPOSITORY / "docs" / "dependencies.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `([\w.-]+)` \| .+ \|$", table, re.MULTILINE))
    declared = project()["project"]["dependencies"] + project()["dependency-groups"]["dev"]

    assert rows == names(declared)


def code_in(document: Path) -> list[str]:
    """What a document shows as code: fenced blocks, indented lines, words between backticks."""
    parts = document.read_text("utf-8").split("```")
    inline = [
        code for prose in parts[::2] for code in re.findall(r"`([^`\n]+)`|^ {4}(.+)$", prose, re.MULTILINE)
    ]
    return [line.strip() for fenced in parts[1::2] for line in fenced.splitlines()] + [
        "".join(c) for c in inline
    ]


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))
    mentioned = {
        (document.name, word)
        for document in (*DOCUMENTS, *SOURCES)
        for code in code_in(document)
        if (call := re.match(r"(?:\w+=\S+ )*make ([^#]+)", code))
        for word in call[1].split()
        if re.fullmatch(r"[a-z-]+", word)
    }

    assert ("CONTRIBUTING.md", "lint") in mentioned
    assert {(where, word) for where, word in mentioned if word not in targets} == set()


def test_the_command_line_starts_without_heavy_imports() -> None:
    packages = [
        ".".join(path.parent.relative_to(REPOSITORY / "src").parts)
        for path in (REPOSITORY / "src" / "whaledo").rglob("__init__.py")
    ]
    code = f"import sys, {', '.join(packages)}; from whaledo.cli.app import application; application()"
    code += "; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert set(HEAVY).isdisjoint(loaded)


def test_a_command_imports_no_other_command() -> None:
    code = "import sys; from whaledo.cli.app import application; application('score'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name for name in loaded.split() if name.startswith("whaledo.cli.")} <= {
        *("whaledo.cli.app", "whaledo.cli.answer", "whaledo.cli.score"),
    }


def test_every_command_that_is_listed_is_there() -> None:
    app = application()
    listed = {*COMMANDS, *GROUPS}
    assert {command.name for command in app.registered_commands} | {
        group.name for group in app.registered_groups
    } == listed
    for name in listed:
        alone = application(name)
        assert len(alone.registered_commands) + len(alone.registered_groups) == 1


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as people install it, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, capture_output=True, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_an_installed_whaledo_finds_its_locks_and_its_quickstart(wheel: Path) -> None:
    code = (
        "from whaledo.resources import *; from whaledo.environment.profiles import *\n"
        "print(repository_root(), read_lock('core').path, quickstart_folder() / 'main.py', sep='\\n')"
    )
    environ = {**os.environ, "PYTHONPATH": str(wheel)}
    said = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=wheel, env=environ, capture_output=True, text=True, check=True
    )

    root, lock, quickstart = said.stdout.splitlines()
    assert root == "None"
    assert Path(lock) == wheel / "whaledo" / "_runtime" / "environment-core.lock"
    assert Path(lock).read_bytes() == (REPOSITORY / "runtime" / "environment-core.lock").read_bytes()
    assert Path(quickstart).is_relative_to(wheel)
    assert Path(quickstart).is_file()


def test_a_wheel_holds_the_package_and_no_leftovers(wheel: Path) -> None:
    files = [str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()]

    assert {name.split("/")[0].partition("-")[0] for name in files} == {"whaledo"}
    assert [name for name in files if "cache" in name or name.endswith((".pyc", ".zip", ".jpg"))] == []
