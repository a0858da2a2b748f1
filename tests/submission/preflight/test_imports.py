"""Imports: what is found in the submission as Python would find it, what the profile has, what neither has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from whaledo.submission.preflight.check import AUTO, PreflightResult

Check = Callable[..., PreflightResult]
Found = Callable[..., list[tuple[str, str, str]]]


def only_hint(result: PreflightResult) -> str:
    (problem,) = result.problems
    return f"{problem.message}: {problem.hint}"


def test_a_package_of_another_profile_names_the_profiles_that_have_it(check: Check) -> None:
    result = check("import timm\n", "core")
    assert not result.ok
    assert (
        only_hint(result)
        == "`timm` is not in `core`; it is in `cpu` and `gpu`: check and run it with --profile cpu"
    )


@pytest.mark.parametrize(
    ("typed", "meant"), [("numppy", "numpy"), ("pillow", "PIL"), ("pyyaml", "yaml"), ("pathlb", "pathlib")]
)
def test_a_misspelt_name_is_told_the_nearest(check: Check, typed: str, meant: str) -> None:
    assert f"did you mean `{meant}`?" in only_hint(check(f"import {typed}\n"))


def test_auto_takes_the_smallest_profile_that_has_all(check: Check) -> None:
    assert check("import numpy\n", AUTO).profile == "core"
    assert check("import timm\n", AUTO).profile == "cpu"
    assert check("import timm, nowhere\n", AUTO).profile == "cpu"


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "import utils", "utils.py": ""},
        {"main.py": "from src.model import Net", "src/model.py": "Net = 1"},
        {"main.py": "from src import model", "src/model.py": ""},
        {
            "main.py": "import src.deep.model",
            "src/deep/model.py": "from . import layers\nfrom ..x import y",
            "src/deep/layers.py": "",
            "src/x.py": "y = 1",
        },
        {
            "main.py": "import sys\nsys.path.insert(0, 'src')\nimport utils",
            "src/utils.py": "import other",
            "src/other.py": "",
        },
        {
            "main.py": "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'src'))\nimport u",
            "src/u.py": "",
        },
        {
            "main.py": "import os, sys\nx = os.getenv('X')\nsys.path.append(f'{x}/whale/')\nfrom data import *",
            "whale/data/__init__.py": "",
        },
        {
            "main.py": "import sys\nfrom pathlib import Path\nHERE = Path(__file__).parent\n"
            "sys.path += [str(HERE / 'a' / 'b')]\nimport m",
            "a/b/m.py": "",
        },
        {
            "main.py": "import sys, where\nsys.path.append(where.to())\nimport m",
            "where.py": "def to(): ...",
            "lib/m.py": "",
        },
        {"main.py": "import path\nimport m", "path.py": "import sys\nsys.path.append('lib')", "lib/m.py": ""},
        {"main.py": "import late", "late.py": "import m", "m.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"},
        {
            "main.py": "import subprocess, sys\nsubprocess.run([sys.executable, 'tools/step.py'])",
            "tools/step.py": "import beside",
            "tools/beside.py": "",
        },
        {"main.py": "import sys\nsys.modules['wandb'] = None\nimport wandb"},
        {"main.py": "import os.path, xml.dom, distutils, asyncio.events, __future__"},
    ],
)
def test_what_python_would_find_is_found(found: Found, files: Mapping[str, str]) -> None:
    assert found(files) == []


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"main.py": "\nfrom utils import x", "src/utils.py": ""}, "main.py:2"),
        ({"main.py": "from src import gone", "src/model.py": ""}, "main.py:1"),
        ({"main.py": "import src.gone", "src/__init__.py": ""}, "main.py:1"),
        ({"main.py": "import a", "a.py": "import b", "b.py": "\n\nimport c"}, "b.py:3"),
        ({"main.py": "import a.b", "a/__init__.py": "from .c import x", "a/b.py": ""}, "a/__init__.py:1"),
        ({"main.py": "import a.b", "a/b.py": "from ... import x"}, "a/b.py:1"),
        ({"main.py": "from data.loader import x"}, "main.py:1"),
        ({"main.py": "import m", "m.cpython-39-x86_64-linux-gnu.so": b""}, "main.py:1"),
        ({"main.py": "import importlib\nimportlib.import_module('gone')"}, "main.py:2"),
        ({"main.py": "import msvcrt"}, "main.py:1"),
        ({"main.py": "import sys\nsys.path.append('../lib')\nimport m", "other/m.py": ""}, "main.py:3"),
    ],
)
def test_what_python_would_not_find_is_an_error(found: Found, files: Mapping[str, str], place: str) -> None:
    assert found(files) == [("error", "missing_import", place)]


def test_a_module_in_another_folder_is_pointed_at(check: Check) -> None:
    result = check({"main.py": "import utils", "src/utils.py": ""})
    assert "src/utils.py is packed" in only_hint(result)
    assert "sys.path.insert(0, 'src')" in only_hint(result)


def test_main_py_is_in_no_package(found: Found) -> None:
    assert found({"main.py": "from .utils import x", "utils.py": ""}) == [
        ("error", "relative_import", "main.py:1")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    import gone\nexcept ImportError:\n    gone = None",
        "def train():\n    import gone",
        "import os\nif os.environ.get('X'):\n    import gone",
        "try:\n    import gone\nexcept Exception as e:\n    print(e)",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import gone",
    ],
)
def test_an_import_that_may_not_run_or_may_fail_is_a_warning(found: Found, code: str) -> None:
    assert [(severity, kind) for severity, kind, _ in found(code)] == [("warning", "missing_import")]


@pytest.mark.parametrize(
    "code",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gone",
        "import sys\nif sys.platform == 'win32':\n    import gone",
        "import sys\nif sys.platform.startswith('win'):\n    import gone",
        "import os\nif os.name == 'nt':\n    import gone",
        "import sys\nif sys.version_info < (3, 8):\n    import gone\nelse:\n    import os",
        "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import gone",
        "try:\n    import tomllib\nexcept ImportError:\n    import gone as tomllib",
        "if False:\n    import gone",
    ],
)
def test_an_import_that_never_runs_is_nothing(found: Found, code: str) -> None:
    assert found(code) == []


def test_packed_archives_make_missing_imports_doubtful(found: Found) -> None:
    assert found({"main.py": "import gone", "wheels/gone.whl": b"PK"}) == [
        ("warning", "missing_import", "main.py:1")
    ]


def test_modules_that_main_does_not_reach_are_told_of_in_one_line_each(check: Check) -> None:
    result = check(
        {
            "main.py": "",
            "train.py": "import gone, lost, numpy\ninput()",
            "lib/a.py": "import b",
            "lib/b.py": "",
        }
    )
    (problem,) = result.problems
    assert (problem.severity.value, problem.code, problem.file) == ("warning", "unreached_import", "train.py")
    assert "`gone`, `lost`" in problem.message


def test_a_main_guard_of_an_imported_module_is_not_run(found: Found) -> None:
    assert found({"main.py": "import a", "a.py": "if __name__ == '__main__':\n    import gone"}) == []


def test_a_folder_gives_way_to_a_package_of_the_environment(found: Found) -> None:
    assert (
        found({"main.py": "import timm.models\nfrom timm import create_model", "timm/weights.pth": b""}) == []
    )
