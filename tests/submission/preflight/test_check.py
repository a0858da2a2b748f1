"""The whole check: of a zip, of a folder, and what its result holds."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from whaledo.errors import BadArchive, BadSubmission, UsageError
from whaledo.submission.pack import BIG_ZIP_BYTES
from whaledo.submission.preflight.check import (
    LARGE_ZIP_BYTES,
    PreflightRequest,
    PreflightResult,
    check_submission,
)

Check = Callable[..., PreflightResult]


def checked(path: Path) -> PreflightResult:
    return check_submission(PreflightRequest(str(path), {"core": {"numpy": "numpy"}}))


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_is_read_as_its_folder_is(tmp_path: Path, check: Check, method: int) -> None:
    files = {"main.py": b"import src.a, gone\n" + b"# words\n" * 2000, "src/a.py": b"open('x.pth')\n"}
    from_zip = checked(zipped(tmp_path / "s.zip", files, method))
    assert from_zip.problems == check(files, "core").problems
    assert [str(one.place) for one in from_zip.problems] == ["src/a.py:1", "main.py:1"]


def test_a_zip_without_main_says_what_was_probably_meant(tmp_path: Path) -> None:
    (problem,) = checked(zipped(tmp_path / "s.zip", {"model/main.py": b""})).problems
    assert problem.code == "no_main"
    assert "not at the root but in model/" in problem.message


def test_what_cannot_be_opened_is_raised(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        checked(tmp_path / "nothing.zip")
    with pytest.raises(BadArchive):
        checked(zipped(tmp_path / "s.zip", {"main.py": b"", "../x": b""}))
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "main.py").symlink_to("/etc/passwd")
    with pytest.raises(BadSubmission):
        checked(tmp_path / "f")


def test_damaged_source_is_a_bad_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path / "s.zip", {"main.py": b"import os\n" * 500})
    data = bytearray(path.read_bytes())
    data[37:45] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(BadArchive):
        checked(path)


def test_the_result_is_plain_json(check: Check) -> None:
    document = json.loads(json.dumps(check("import gone\n").to_json()))
    assert document["ok"] is False
    assert (document["errors"], document["warnings"], document["modules"]) == (1, 0, ["main.py"])
    (kind,) = document["problems"]
    assert (kind["code"], kind["severity"], kind["total"]) == ("missing_import", "error", 1)


def test_errors_come_first_and_main_before_the_rest(check: Check) -> None:
    result = check({"main.py": "import a\nROOT = '/home/me'\nimport gone", "a.py": "import lost"})
    assert [one.place for one in result.problems] == ["main.py:3", "a.py:1", "main.py:2"]


def test_nothing_is_executed_or_left_behind(tmp_path: Path, check: Check) -> None:
    proof = tmp_path / "proof"
    check({"main.py": f"import a\nopen({str(proof)!r}, 'w')", "a.py": f"open({str(proof)!r}, 'w')"})
    assert not proof.exists()
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_size_of_what_is_not_code_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.py", "open('weights.bin')")
        with archive.open("weights.bin", "w") as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
    started = time.monotonic()
    assert checked(path).ok
    assert time.monotonic() - started < 1


def test_packing_and_checking_agree_on_what_is_large() -> None:
    assert LARGE_ZIP_BYTES == BIG_ZIP_BYTES


def test_of_packages_that_nobody_knows_only_what_lies_in_the_zip_is_certain(check: Check) -> None:
    files = {
        "main.py": "import whales_of_ours, pkg.gone\nopen('/weights/x.pth')\nmodel.cuda()\nimport newer\n",
        "pkg/__init__.py": "",
        "newer.py": "type Whale = str\n",
    }
    result = check(files, None)
    assert result.profile is None
    assert [(one.severity.value, one.code, one.place) for one in result.problems] == [
        ("error", "missing_import", "main.py:1"),
        ("warning", "missing_file", "main.py:2"),
        ("warning", "syntax_error", "newer.py:1"),
    ]
    assert "`gone`" in next(iter(result.problems)).message
    at_home = check(files, "cpu")
    assert {one.code for one in at_home.problems if one.severity.value == "error"} == {
        "missing_import",
        "missing_file",
        "syntax_error",
    }
