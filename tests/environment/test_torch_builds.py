from __future__ import annotations

from pathlib import Path

import pytest

from whaledo.environment.torch_builds import torch_arguments

CPU = "numpy==2.0\ntorch==2.13.0+cpu\ntorchvision==0.28.0+cpu\n"


def test_a_lock_without_cpu_builds_asks_for_no_index() -> None:
    assert (
        torch_arguments("numpy==2.0\ntorch==2.13.0\n", {"WHALEDO_TORCH_INDEX": "https://mirror.example"})
        == ()
    )


def test_cpu_builds_come_from_their_own_index() -> None:
    assert torch_arguments(CPU, {}) == ("--torch-backend", "cpu")


def test_a_mirror_takes_its_place_beside_the_package_index() -> None:
    arguments = torch_arguments(CPU, {"WHALEDO_TORCH_INDEX": "https://mirror.example/cpu"})

    assert arguments == ("--index", "https://mirror.example/cpu", "--index-strategy", "unsafe-best-match")


@pytest.mark.parametrize(
    ("wheels", "asked"),
    [
        (["torch-2.13.0+cpu-cp311-cp311-linux.whl", "torchvision-0.28.0+cpu-cp311-cp311-linux.whl"], False),
        (["torch-2.13.0+cpu-cp311-cp311-linux.whl"], True),
        (["torch-2.12.0+cpu-cp311-cp311-linux.whl", "torchvision-0.28.0+cpu-cp311-cp311-linux.whl"], True),
    ],
)
def test_a_folder_takes_its_place_where_it_has_all_of_them(
    tmp_path: Path, wheels: list[str], asked: bool
) -> None:
    for wheel in wheels:
        (tmp_path / wheel).touch()
    links = f"https://wheels.example/all.html,/nowhere,{tmp_path}"

    assert bool(torch_arguments(CPU, {"UV_FIND_LINKS": links})) is asked
