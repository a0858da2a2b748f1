"""What works on one's own machine only, and how a line asks not to be told of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[tuple[str, str, str]]]


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/w.pth",
        "/Users/me/x",
        "C:\\\\Users\\\\me",
        "D:/data",
        "/kaggle/input/x",
        "/content/drive/x",
        "~/x",
    ],
)
def test_a_path_of_ones_own_machine_is_a_warning(found: Found, path: str) -> None:
    assert found(f"ROOT = '{path}'") == [("warning", "own_path", "main.py:1")]


@pytest.mark.parametrize(
    "text", ["/code_execution/data", "http://x.org", "see /home/ for more", "data/images"]
)
def test_other_texts_are_not_paths_of_ones_own(found: Found, text: str) -> None:
    assert found(f"'''docs: /home/me/x'''\nROOT = '{text}'") == []


def test_input_waits_for_nobody(found: Found) -> None:
    assert found("name = input('name?')") == [("error", "input", "main.py:1")]
    assert found("def f():\n    input()") == [("warning", "input", "main.py:2")]
    assert found("def forward(input):\n    return input()") == []


MOVES = [
    "model.cuda()",
    "model.to('cuda')",
    "torch.device('cuda:0')",
    "torch.zeros(1, device='cuda')",
    "DEVICE = 'cuda'\nmodel.to(DEVICE)",
]


@pytest.mark.parametrize("move", MOVES)
def test_a_gpu_is_asked_for_before_it_is_used(found: Found, move: str) -> None:
    code = f"import torch\n{move}"
    assert [one[:2] for one in found(code)] == [("warning", "gpu_only")]
    assert found(code, "gpu") == []
    assert found(f"{code}\nif torch.cuda.is_available():\n    pass") == []
    assert found(move) == []


def test_identities_are_not_in_the_data_of_a_run(found: Found) -> None:
    read = "print(metadata['whale_id'], row.encounter_id)"
    assert found(read) == [("warning", "hidden_data", "main.py:1")] * 2
    assert found(f"metadata['whale_id'] = 0\nrow.encounter_id = 0\n{read}") == []
    assert found("import pandas as pd\npd.read_csv('data/test_labels.csv')") == [
        ("warning", "hidden_data", "main.py:2")
    ]
    assert found({"main.py": read, "train.csv": "image_id,whale_id"}) == []


def test_a_comment_silences_its_line_and_no_other(found: Found) -> None:
    assert found("import gone  # whaledo: ignore\nimport lost") == [("error", "missing_import", "main.py:2")]
    assert found("import timm\ntimm.create_model(\n    'x', pretrained=True\n)  # whaledo: ignore") == []
