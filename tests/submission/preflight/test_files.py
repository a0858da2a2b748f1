"""Files that are opened and not packed, and those that are packed and not opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from whaledo.submission.preflight import files as files_module
from whaledo.submission.preflight.check import PreflightResult

Check = Callable[..., PreflightResult]
Found = Callable[..., list[tuple[str, str, str]]]

READS = [
    "open('weights/m.pth', 'rb')",
    "torch.load('weights/m.pth')",
    "torch.load('/code_execution/weights/m.pth', map_location='cpu')",
    "torch.load(Path(__file__).resolve().parent / 'weights' / 'm.pth')",
    "torch.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'weights/m.pth'))",
    "torch.load(FOLDER / 'm.pth')",
    "torch.load(f'{FOLDER}/m.pth')",
    "Path('weights/m.pth').read_bytes()",
    "Net.load_from_checkpoint(checkpoint_path='weights/m.pth')",
    "pd.read_csv('./weights/m.pth')",
]
HEAD = "import os, torch, pandas as pd\nfrom pathlib import Path\nFOLDER = Path('weights')\n"


@pytest.mark.parametrize("read", READS)
def test_a_file_that_surely_is_opened_has_to_be_packed(found: Found, read: str) -> None:
    assert found(HEAD + read) == [("error", "missing_file", "main.py:4")]


@pytest.mark.parametrize("read", READS)
def test_a_packed_file_is_there(found: Found, read: str) -> None:
    assert found({"main.py": HEAD + read, "weights/m.pth": b"w"}) == []


@pytest.mark.parametrize("read", READS)
def test_a_read_that_may_not_run_is_a_warning(found: Found, read: str) -> None:
    assert found(f"{HEAD}def train():\n    {read}") == [("warning", "missing_file", "main.py:5")]


@pytest.mark.parametrize(
    "code",
    [
        "open('out.txt', 'w')\nopen('out.txt')",
        "open('data/metadata.csv')",
        "open('/code_execution/data/metadata.csv')",
        "open('submission/submission.csv', mode='w')",
        "open('/tmp/x')",
        "torch.save(x, 'm.pth')\ntorch.load('m.pth')",
        "x.to_csv('t.csv')\npd.read_csv('t.csv')",
        "pd.read_csv(row.path)",
        "pd.read_csv('https://example.org/x.csv')",
        "parser.add_argument('--w', default='m.pth')\ntorch.load('m.pth')",
        "ok = os.path.exists('m.pth') and torch.load('m.pth')",
    ],
)
def test_what_the_code_makes_or_asks_for_first_is_nothing(found: Found, code: str) -> None:
    assert found(HEAD + code) == []


@pytest.mark.parametrize("code", ["os.chdir('weights')", "import shutil\nshutil.unpack_archive('w.tar')"])
def test_after_a_change_of_folder_names_are_doubtful(found: Found, code: str) -> None:
    assert ("warning", "missing_file") in [one[:2] for one in found(f"{HEAD}{code}\ntorch.load('m.pth')")]


def test_the_place_of_a_file_of_that_name_is_told(check: Check) -> None:
    (problem,) = check({"main.py": "open('m.pth')", "weights/m.pth": b""}).problems
    assert problem.hint.startswith("weights/m.pth is packed")


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("", False),
        ("open('weights/model_fold0.pth')", True),
        ("import glob\nglob.glob('*/*.pth')", True),
        ("import torch\n[torch.load(f'weights/model_fold{i}.pth') for i in range(3)]", True),
        ("import os\nos.listdir('weights')", True),
        ("name = 'model_fold0'", True),
        ("name = 'other'", False),
    ],
)
def test_a_big_file_that_nothing_names(
    found: Found, monkeypatch: pytest.MonkeyPatch, code: str, named: bool
) -> None:
    monkeypatch.setattr(files_module, "BIG_BYTES", 1000)
    result = found({"main.py": code, "weights/model_fold0.pth": bytes(1001), "notes.bin": bytes(1000)})
    assert result == ([] if named else [("warning", "unused_file", "weights/model_fold0.pth")])


def test_a_configuration_may_name_a_big_file(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "BIG_BYTES", 1000)
    assert found({"main.py": "", "w.bin": bytes(1001), "conf/c.yaml": "weights: w.bin"}) == []


def test_the_limit_of_big_is_what_the_documents_say() -> None:
    assert files_module.BIG_BYTES == 50 * 1024**2
    assert "over 50 MiB" in (Path(__file__).resolve().parents[3] / "docs/preflight.md").read_text("utf-8")
