"""Weights without torch: which model, what was fetched, what is written, and what is refused."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from whaledo.challenge.download.fetch import Patience
from whaledo.errors import BadData, MachineError, UsageError
from whaledo.weights import export as export_module
from whaledo.weights.export import export, find_python
from whaledo.weights.options import parse_colours, parse_size
from whaledo.weights.sources import PUBLISHED
from whaledo.weights.weights import UNKNOWN_LICENCE, WeightsRequest, WeightsResult, put_weights

HASTE = Patience(attempts=2, first_wait_s=0.01, timeout_s=5)
HALF = (0.5, 0.5, 0.5)


def request_of(url: str, folder: Path, **more: Any) -> WeightsRequest:
    return WeightsRequest(url, str(folder), size=(64, 48), mean=HALF, std=HALF, **more)


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fake_python(tmp_path: Path, does: str) -> Path:
    """A program in the place of a Python with torch; it finds the order in `order`."""
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\norder = json.loads(sys.argv[-1])\n{does}\n"
    )
    program.chmod(0o755)
    return program


def test_a_fetched_network_gets_a_json_that_the_benchmark_reads(
    served: tuple[Path, str], submission: Path
) -> None:
    folder, url = served
    sha256 = hashlib.sha256((folder / "net.onnx").read_bytes()).hexdigest()
    request = request_of(f"{url}/net.onnx", submission, sha256=sha256.upper(), licence="MIT")
    result = put_weights(request, patience=HASTE)
    settings = json.loads((submission / "model.json").read_text())
    assert list(settings)[:3] == ["input_size", "mean", "std"]
    assert (settings["input_size"], settings["mean"], settings["std"]) == ([64, 48], [0.5] * 3, [0.5] * 3)
    assert (settings["licence"], settings["sha256"], settings["verified"]) == ("MIT", sha256, True)
    assert (submission / "model.onnx").read_bytes() == (folder / "net.onnx").read_bytes()
    assert result.verified
    assert not result.exported
    assert files_of(submission.parent) == ["mine", "served"], "the hidden folder is gone"


def test_without_a_checksum_and_a_licence_it_says_that_nobody_knows(
    served: tuple[Path, str], submission: Path
) -> None:
    result = put_weights(request_of(f"{served[1]}/net.onnx", submission), patience=HASTE)
    assert not result.verified
    assert result.licence == UNKNOWN_LICENCE


@pytest.mark.parametrize(
    ("content", "sha256", "said"),
    [
        (b"\x08\x0a" * 99, "0" * 64, "its SHA-256 is"),
        (b"\n<!DOCTYPE html><title>Log in", None, "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", None, "a Git LFS pointer"),
        (b"", None, "empty"),
    ],
)
def test_what_is_no_such_file_never_reaches_the_submission(
    served: tuple[Path, str], submission: Path, content: bytes, sha256: str | None, said: str
) -> None:
    (served[0] / "net.onnx").write_bytes(content)
    with pytest.raises(BadData, match=said):
        put_weights(request_of(f"{served[1]}/net.onnx", submission, sha256=sha256), patience=HASTE)
    assert files_of(submission) == ["main.py"]
    assert not (submission.parent / ".mine.weights").exists()


@pytest.mark.parametrize("there", ["model.onnx", "model.json"])
def test_a_network_that_is_there_is_replaced_only_by_force(
    served: tuple[Path, str], submission: Path, there: str
) -> None:
    (submission / there).write_text("mine")
    request = request_of(f"{served[1]}/net.onnx", submission)
    with pytest.raises(UsageError, match=f"holds {there} already"):
        put_weights(request, patience=HASTE)
    assert (submission / there).read_text() == "mine"
    put_weights(replace(request, force=True), patience=HASTE)
    assert (submission / there).read_bytes() != b"mine"


def test_a_failure_leaves_a_network_that_was_to_be_replaced(
    served: tuple[Path, str], submission: Path
) -> None:
    (submission / "model.onnx").write_text("mine")
    with pytest.raises(MachineError, match="404"):
        put_weights(request_of(f"{served[1]}/gone.onnx", submission, force=True), patience=HASTE)
    assert (submission / "model.onnx").read_text() == "mine"


def test_what_came_through_stays_for_the_next_time(served: tuple[Path, str], submission: Path) -> None:
    url = f"{served[1]}/net.onnx"
    begun = submission.parent / ".mine.weights"
    begun.mkdir()
    (begun / "model.onnx").write_bytes(b"\x08\x0a")
    known = {"url": url, "etag": "", "last_modified": "x", "size_bytes": None}
    (begun / "model.onnx.json").write_text(json.dumps(known))
    with pytest.raises(MachineError):
        put_weights(
            request_of("http://127.0.0.1:1/net.onnx".replace(":1/", ":9/"), submission), patience=HASTE
        )
    put_weights(request_of(url, submission), patience=HASTE)
    assert (submission / "model.onnx").read_bytes() == (served[0] / "net.onnx").read_bytes()
    assert not begun.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "resnet50"}, "there is no model"),
        ({"model": "timm:"}, "there is no model"),
        ({"folder": "/nowhere/mine"}, "no folder"),
        ({"size": None}, "doesn't say how it wants its photographs"),
        ({"size": (0, 10)}, "make no sense"),
        ({"std": (0.5, 0.0, 0.5)}, "more than 0"),
        ({"sha256": "abc"}, "no SHA-256"),
        ({"model": "timm:resnet50", "sha256": "0" * 64}, "an export differs"),
        ({"model": "timm:resnet50", "profile": "core"}, "has no torch"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    served: tuple[Path, str], submission: Path, change: dict[str, Any], said: str
) -> None:
    request = replace(request_of(f"{served[1]}/net.onnx", submission), **change)
    with pytest.raises(UsageError, match=said):
        put_weights(request, patience=HASTE)
    assert files_of(submission) == ["main.py"]


def test_a_published_model_brings_its_licence_and_its_settings(tmp_path: Path, submission: Path) -> None:
    name, published = next(iter(PUBLISHED.items()))
    python = fake_python(
        tmp_path,
        "assert order['model'].startswith('timm:')\npathlib.Path(order['target']).write_bytes(b'onnx')\n"
        "answer = {name: order[name] for name in ('input_size', 'mean', 'std')} | {'embedding_size': 7}\n"
        "pathlib.Path(order['answer']).write_text(json.dumps(answer))",
    )
    result = put_weights(WeightsRequest(name, str(submission)), python=python)
    settings = json.loads((submission / "model.json").read_text())
    assert settings["licence"] == published.licence
    assert settings["input_size"] == list(published.size)
    assert settings["embedding_size"] == 7
    assert result.exported
    assert files_of(submission) == ["main.py", "model.json", "model.onnx"]


def test_an_export_that_breaks_down_is_told_by_its_last_words(tmp_path: Path, submission: Path) -> None:
    python = fake_python(tmp_path, "raise OSError('no such repository')")
    with pytest.raises(MachineError, match="no such repository"):
        put_weights(WeightsRequest("timm:nothing", str(submission)), python=python)
    assert files_of(submission) == ["main.py"]


def test_a_refusal_of_the_exporter_is_the_users_to_mend(tmp_path: Path) -> None:
    text = '\'{"refused": "this environment can\'t import timm: no"}\''.replace("can't", "can\\'t")
    python = fake_python(tmp_path, f"pathlib.Path(order['answer']).write_text({text})")
    with pytest.raises(UsageError, match="can't import timm") as caught:
        export(python, {"model": "timm:x"}, tmp_path, lambda _: None)
    assert "whaledo env build" in caught.value.hint


def test_where_no_environment_has_torch_it_says_what_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "find_environment", lambda _: None)
    with pytest.raises(MachineError, match="needs torch") as caught:
        find_python()
    assert caught.value.hint == "type `whaledo env build --profile cpu`"


def test_every_published_model_says_its_licence_and_whom_to_thank() -> None:
    for name, model in PUBLISHED.items():
        assert name == name.lower()
        assert all((model.licence, model.credit, model.about)), name
        assert all(text.startswith("https://") for text in (model.licence_url, model.page)), name


def test_requests_and_results_travel_as_json(served: tuple[Path, str], submission: Path) -> None:
    request = request_of(f"{served[1]}/net.onnx", submission)
    assert WeightsRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    result = put_weights(request, patience=HASTE)
    assert isinstance(result, WeightsResult)
    assert json.loads(json.dumps(result.to_json()))["folder"] == str(submission)


def test_a_size_is_height_and_width_or_one_number_for_both() -> None:
    assert parse_size("224x192") == (224, 192)
    assert parse_size("224") == (224, 224)
    for wrong in ("", "224x", "-3", "2²", "a"):
        with pytest.raises(UsageError, match="is no size"):
            parse_size(wrong)


def test_colours_are_three_finite_numbers() -> None:
    assert parse_colours("0.5,.25, 1", "--mean") == (0.5, 0.25, 1.0)
    for wrong in ("", "0.5", "1,2", "1,2,3,4", "1,nan,2", "a,b,c"):
        with pytest.raises(UsageError, match="isn't three numbers"):
            parse_colours(wrong, "--mean")
