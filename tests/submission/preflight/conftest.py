"""Small submissions to check, and profiles to check them for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from whaledo.submission.preflight.check import PreflightRequest, PreflightResult, check_submission

CORE = {
    "numpy": "numpy",
    "pandas": "pandas",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
}
CPU = {**CORE, "torch": "torch", "timm": "timm", "torchvision": "torchvision", "requests": "requests"}
PROFILES = {"core": CORE, "cpu": CPU, "gpu": {**CPU, "cuda": "cuda-bindings"}}

Check = Callable[..., PreflightResult]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Check a submission of these files; a text alone is its main.py, and 0 bytes stand for what isn't given."""

    def run(
        files: str | Mapping[str, str | bytes], profile: str | None = "cpu", *, offline: bool = True
    ) -> PreflightResult:
        named = {"main.py": files} if isinstance(files, str) else files
        folder = tmp_path / "model"
        for name, content in named.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return check_submission(PreflightRequest(str(folder), PROFILES, profile, offline=offline))

    return run


@pytest.fixture
def found(check: Check) -> Callable[..., list[tuple[str, str, str]]]:
    """As `check`, but only what was found: severity, kind and place of each."""

    def run(files: str | Mapping[str, str | bytes], profile: str = "cpu") -> list[tuple[str, str, str]]:
        result = check(files, profile)
        return [(one.severity.value, one.code, one.place) for one in result.problems]

    return run
