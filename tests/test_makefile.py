"""The Makefile, read by make itself; nothing of it is run but `help` and `clean`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"
KNOWN_TO_COMPETITORS = {
    *("help", "pull", "build", "pack-quickstart", "pack-benchmark", "pack-submission", "test-submission"),
    *("test-container", "interact-container", "score", "clean"),
}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")


def make(*arguments: str, folder: Path = MAKEFILE.parent, **variables: str) -> str:
    """What make prints; `-n` among the arguments makes it print the commands only."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def documented() -> set[str]:
    return set(re.findall(r"^  ([a-z-]+) {2,}\S", make(), re.MULTILINE))


def test_make_alone_lists_the_commands_that_competitors_know() -> None:
    assert documented() >= KNOWN_TO_COMPETITORS


def test_make_alone_shows_every_command_and_the_settings() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE.read_text(), re.MULTILINE))

    assert targets - documented() == {"tool"}
    assert re.search(r"^  DATA +/photos ", make(DATA="/photos"), re.MULTILINE)


def test_packing_overwrites_only_when_it_is_told_so_behind_make() -> None:
    assert "--force" not in make("-n", "pack-quickstart")
    assert "--force" not in make("-n", "pack-quickstart", FORCE="1")
    assert "--force submission_quickstart" in make("-n", "pack-quickstart", "FORCE=1")


def test_a_folder_with_a_space_stays_one_folder() -> None:
    assert '--data "my data"' in make("-n", "test-submission", "DATA=my data")


def test_settings_may_stand_in_the_environment() -> None:
    assert '--data "/photos"' in make("-n", "test-submission", DATA="/photos")


def test_a_run_is_scored_with_the_data_or_the_labels_that_are_given() -> None:
    assert "--score" in make("-n", "test-submission")
    assert 'score "submission/submission.csv" "l.csv"' in make("-n", "test-submission", "LABELS=l.csv")
    assert 'score "submission/submission.csv" --data "data"' in make("-n", "score")
    assert 'score "submission/submission.csv" "l.csv"' in make("-n", "score", "LABELS=l.csv")


def test_the_versions_in_the_locks_move_only_on_demand() -> None:
    assert "--upgrade" not in make("-n", "lock")
    assert "--upgrade" in make("-n", "lock", "UPGRADE=1")


def test_clean_leaves_everything_but_caches(tmp_path: Path) -> None:
    shutil.copy(MAKEFILE, tmp_path)
    caches = ("src/a/__pycache__/a.pyc", ".mypy_cache/x", ".pytest_cache/x", "dist/w.whl")
    kept = (
        ".venv/lib/__pycache__/a.pyc",
        "data/__pycache__/a.pyc",
        "submission/submission.zip",
        "src/a/a.py",
    )
    for name in (*caches, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    make("clean", folder=tmp_path)

    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*kept, "Makefile"}


def run_command(**variables: str) -> str:
    return (
        make("-n", "test-submission", folder=MAKEFILE.parent, **variables)
        .partition("whaledo run")[2]
        .partition("\n")[0]
    )


def test_a_run_takes_what_is_here_unless_it_is_told_what() -> None:
    plain = run_command()
    assert "--engine auto" in plain
    for option in ("--profile", "--image", "--no-gpu", "--network"):
        assert option not in plain


def test_the_settings_that_competitors_know_reach_the_run() -> None:
    assert "--profile cpu" in run_command(CPU_OR_GPU="cpu")
    assert "--profile core" in run_command(PROFILE="core")
    assert "--no-gpu" in run_command(SKIP_GPU="true")
    assert "--network host" in run_command(BLOCK_INTERNET="false")
    assert '--image "mine:1"' in run_command(SUBMISSION_IMAGE="mine:1")
    assert "--engine podman" in run_command(ENGINE="podman")


@pytest.mark.parametrize("setting", ["SKIP_GPU=yes", "BLOCK_INTERNET=0"])
def test_a_switch_that_is_neither_true_nor_false_is_refused(setting: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        make("-n", "test-submission", setting)
    assert "say true or false" in caught.value.stderr


@pytest.mark.parametrize("target", ["test-container", "interact-container"])
def test_an_image_for_gpus_can_be_used_without_any(target: str) -> None:
    assert "--no-gpu" not in make("-n", target)
    assert "--no-gpu" in make("-n", target, SKIP_GPU="true")


def test_the_image_is_the_profiles_unless_another_is_named() -> None:
    assert "Image: whaledo/runtime:gpu" in make(CPU_OR_GPU="gpu")
    assert "Image: mine:1" in make(SUBMISSION_IMAGE="mine:1")
    assert '--engine docker --profile core --image "whaledo/runtime:core"' in make(
        "-n", "build", PROFILE="core"
    )
    assert "--engine podman" in make("-n", "test-container", ENGINE="podman")


def test_a_gpu_is_found_by_nvidia_smi(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    assert "Image: whaledo/runtime:gpu" in make(PATH=f"{tmp_path}:{os.environ['PATH']}")
