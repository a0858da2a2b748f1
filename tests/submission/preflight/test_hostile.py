"""Sources that were written to break a reader, and any text at all: an answer, in bounded time, never a traceback."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.submission.preflight import reach as reach_module
from whaledo.submission.preflight.check import PreflightRequest, PreflightResult, check_submission

Check = Callable[..., PreflightResult]

CASES = {
    "parentheses": ("(" * 100_000, "syntax_error"),
    "minuses": ("-" * 100_000 + "1", "not_read"),
    "sum": ("+".join(["1"] * 100_000), "not_read"),
    "attributes": ("a" + ".b" * 2_500, None),
    "calls": ("f" + "()" * 2_500, None),
    "elifs": ("if a: pass\n" + "elif a: pass\n" * 2_500, "not_read"),
    "lambdas": ("lambda:" * 50_000 + "1", "not_read"),
    "decorators": ("@a\n" * 50_000 + "def f(): pass", None),
    "nul": (b"a = 1\nb = '\0'", "syntax_error"),
    "unknown encoding": (b"# -*- coding: klingon -*-\n", "syntax_error"),
    "not its encoding": (b"# coding: ascii\na = '\xc3\xa9'\n", "syntax_error"),
    "latin": (b"# coding: latin-1\na = '\xe9'\n", None),
    "utf-16": ("import os".encode("utf-16"), "syntax_error"),
    "byte order mark": (b"\xef\xbb\xbfimport os\n", None),
    "rot13": (b"# coding: rot13\nvzcbeg bf\n", "syntax_error"),
    "long number": ("9" * 5_000, "syntax_error"),
    "long module": ("a\n" * 200_000, "not_read"),
    "empty": ("", None),
    "newer Python": ("type X = int", "syntax_error"),
    "folding loop": ("a = b\nb = a\nopen(a)", None),
    "deep folding": ("a = " + "'x' + " * 900 + "'y'\nopen(a)", None),
    "surrogates": ("open('\\ud800')\nimport sys\nsys.path.append('\\ud800\\0')", None),
    "regular expression": ("'" + "pip " * 20_000 + "'\nimport os\nos.system('" + "pip " * 20_000 + "')", None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_hostile_sources_have_an_answer(check: Check, name: str) -> None:
    source, kind = CASES[name]
    started = time.monotonic()
    found = {problem.code for problem in check({"main.py": source}).problems}
    assert time.monotonic() - started < 5
    assert (kind in found) if kind else found <= {"missing_file"}


def test_a_syntax_error_has_its_line(check: Check) -> None:
    (problem,) = check("import os\nprint 'x'\n").problems
    assert (problem.severity.value, problem.code, problem.place) == ("error", "syntax_error", "main.py:2")


def test_a_syntax_error_in_a_module_that_may_not_run_is_a_warning(check: Check) -> None:
    (problem,) = check({"main.py": "def f():\n    import a", "a.py": "("}).problems
    assert (problem.severity.value, problem.code, problem.file) == ("warning", "syntax_error", "a.py")


def test_thousands_of_modules_are_read_up_to_a_limit(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach_module, "SOURCE_BYTES", 40_000)
    chain = {f"m{i}.py": f"import m{i + 1}\n" + "x = 1\n" * 10 for i in range(1_500)}
    result = check({"main.py": "import m0\n", **chain})
    assert {problem.code for problem in result.problems} == {"not_read"}
    assert 100 < len(result.modules) < 1_000


def test_modules_that_import_each_other_are_read_once(check: Check) -> None:
    result = check({"main.py": "import a", "a.py": "import b, main", "b.py": "import a"})
    assert result.modules == ("main.py", "a.py", "b.py")


def test_many_findings_are_counted_and_few_are_shown(check: Check) -> None:
    result = check("\n".join(f"import gone{i}" for i in range(500)))
    assert result.problems.errors == 500
    assert len(list(result.problems)) == 20


WORDS = """
import from as . , ( ) [ ] : = if try: except finally: def f class lambda yield return with sys.path .append
.insert __file__ 'src' 'x.pth' f'{a}/b' open torch.load / + * @ a b pretrained=True os.path.join
sys.version_info < >= 3 (3,8) __name__=='__main__' TYPE_CHECKING while for in match case
"""
TOKENS = st.lists(st.sampled_from([*WORDS.split(), "\n", "\n    ", "\0", "\ud800"]), max_size=40).map(
    " ".join
)
SOURCES = st.binary(max_size=200) | (st.text(max_size=200) | TOKENS).map(
    lambda text: text.encode(errors="replace")
)


@settings(max_examples=200, deadline=None)
@given(SOURCES)
def test_any_bytes_as_source_have_an_answer(source: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.py").write_bytes(source)
        Path(folder, "b.py").write_bytes(source[::-1])
        result = check_submission(PreflightRequest(folder, {"core": {}}))
    assert result.profile == "core"
