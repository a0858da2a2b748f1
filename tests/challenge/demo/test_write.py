from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from whaledo.challenge.check import check_challenge
from whaledo.challenge.demo import write
from whaledo.challenge.demo.photographs import Photograph, photograph_animal
from whaledo.challenge.demo.schedule import Plan, Shot
from whaledo.challenge.demo.write import write_demo
from whaledo.challenge.model import Challenge, Layout
from whaledo.cli.data_demo import demo
from whaledo.errors import MachineError, UsageError


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, tiny: Plan) -> Path:
    """Seed 5 in layout A, drawn by this process."""
    folder = tmp_path_factory.mktemp("drawn") / "demo"
    write_demo(folder, seed=5, plan=tiny)
    return folder


def test_several_processes_draw_the_same_bytes(
    drawn: Path, tmp_path: Path, tiny: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    write_demo(tmp_path / "demo", seed=5, plan=tiny)
    assert tree(tmp_path / "demo") == tree(drawn)


def test_a_processor_without_vector_instructions_draws_the_same_bytes(
    drawn: Path, tmp_path: Path, tiny: Plan
) -> None:
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if not found:
        pytest.skip("numpy uses no vector instructions here beyond those that it can't do without")
    program = (
        "import sys; from pathlib import Path; from whaledo.challenge.demo.schedule import Plan\n"
        "from whaledo.challenge.demo.write import write_demo\n"
        f"write_demo(Path(sys.argv[1]), seed=5, plan={tiny!r})"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "demo")],
        check=True,
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(found), "JSIMD_FORCENONE": "1"},
    )
    assert tree(tmp_path / "demo") == tree(drawn)


def test_another_seed_draws_other_photographs(drawn: Path, tmp_path: Path, tiny: Plan) -> None:
    write_demo(tmp_path / "demo", seed=6, plan=tiny)
    one, other = (
        {hashlib.sha256(image.read_bytes()).digest() for image in (folder / "images").iterdir()}
        for folder in (drawn, tmp_path / "demo")
    )
    assert not one & other


def test_both_layouts_ask_the_same_and_the_check_finds_nothing_wrong(
    drawn: Path, tmp_path: Path, tiny: Plan
) -> None:
    summary = write_demo(tmp_path / "demo", seed=5, layout=Layout.B, plan=tiny)
    asked = []
    for folder, layout in ((drawn, Layout.A), (tmp_path / "demo", Layout.B)):
        result = check_challenge(folder)
        assert not list(result.problems)
        assert (result.layout, result.images, result.identities) == (layout, summary.images, summary.whales)
        assert (len(result.scenarios), result.queries) == (summary.scenarios, summary.queries)
        assert result.challenge is not None
        asked.append([(one.scenario_id, one.queries, one.database) for one in result.challenge.scenarios])
    assert asked[0] == asked[1]


def test_metadata_is_in_the_form_of_the_real_one(small_demo: Challenge, beluga: Path) -> None:
    with (beluga / "metadata.csv").open(newline="") as file:
        real = list(csv.DictReader(file))
    assert list(small_demo.columns) == list(real[0])
    for column in real[0]:
        form = "|".join({re.sub(r"\d", r"\\d", re.escape(row[column])) for row in real})
        if column in ("height", "width"):
            form = r"\d+"
        for image in small_demo.images.values():
            assert re.fullmatch(form, image.fields[column]), (column, image.fields[column])


def test_image_ids_are_in_order_and_tell_nothing_about_the_animals(small_demo: Challenge) -> None:
    ids = list(small_demo.images)
    assert ids == sorted(ids)
    animals = [image.fields["whale_id"] for image in small_demo.images.values()]
    neighbours = sum(one == other for one, other in pairwise(animals))
    assert neighbours < len(animals) / 10


def test_a_folder_that_holds_anything_is_refused_and_left_as_it_is(tmp_path: Path, tiny: Plan) -> None:
    (tmp_path / ".hidden").write_text("mine")
    with pytest.raises(UsageError, match=r"isn't empty: \.hidden is in it"):
        write_demo(tmp_path, plan=tiny)
    assert tree(tmp_path) == {".hidden": b"mine"}


def test_a_file_and_a_negative_seed_are_refused(tmp_path: Path, tiny: Plan) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        write_demo(tmp_path / "file", plan=tiny)
    with pytest.raises(UsageError, match="the seed -1 is negative"):
        write_demo(tmp_path / "new", seed=-1, plan=tiny)
    assert tree(tmp_path) == {"file": b"mine"}


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path, tiny: Plan) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    before = folder.stat().st_ino
    write_demo(folder, plan=tiny)
    assert folder.stat().st_ino == before
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert (folder / "metadata.csv").exists()


@pytest.mark.parametrize("there", [True, False], ids=["into an empty folder", "into a new one"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_midway_leaves_nothing(
    tmp_path: Path, tiny: Plan, there: bool, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"
    if there:
        folder.mkdir()

    def fails_later(seed: int, shots: Sequence[Shot]) -> Iterator[Photograph]:
        yield from photograph_animal(seed, shots[:1])
        raise error

    monkeypatch.setattr(write, "photograph_animal", fails_later)
    expected = MachineError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_demo(folder, plan=tiny)
    assert list(tmp_path.rglob("*")) == ([folder] if there else [])


def test_a_failure_while_an_empty_folder_is_filled_leaves_it_empty(
    tmp_path: Path, tiny: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = shutil.move
    moved: list[Path] = []

    def moves_two(source: Path, target: Path) -> None:
        if len(moved) == 2:
            raise OSError(28, "No space left on device")
        move(source, target)
        moved.append(target)

    monkeypatch.setattr(shutil, "move", moves_two)
    with pytest.raises(MachineError, match="No space left on device"):
        write_demo(tmp_path, plan=tiny)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_with_all_photographs(tmp_path: Path, tiny: Plan) -> None:
    told: list[tuple[int, int]] = []
    summary = write_demo(tmp_path / "demo", plan=tiny, on_progress=lambda *step: told.append(step))
    assert told == sorted(told)
    assert told[-1] == (summary.images, summary.images)


def test_the_command_says_what_it_drew(tmp_path: Path, tiny: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "Plan", lambda: tiny)
    app = typer.Typer()
    app.command()(demo)
    folder = tmp_path / "demo"
    ran = CliRunner().invoke(app, [str(folder), "--seed", "5", "--layout", "b", "--json"])
    assert ran.exit_code == 0
    assert '"layout": "b"' in ran.stdout
    assert '"seed": 5' in ran.stdout
    assert (folder / "query_scenarios.csv").exists()
    again = CliRunner().invoke(app, [str(folder)])
    assert again.exit_code == 2
    assert "isn't empty" in again.stderr
