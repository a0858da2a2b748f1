from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from whaledo.environment.catalogue import (
    Entry,
    catalogue_text,
    complete,
    packages_of,
    read_catalogue,
)
from whaledo.environment.installed import Package
from whaledo.environment.names import import_names, profiles_with

CV = Entry("opencv", "4.0", ("cv2",), 10, "Apache-2.0")
TORCH = Entry("torch", "2.0", ("torch", "torchgen"), 20, "BSD")
KNOWN = {(entry.name, entry.version): entry for entry in (CV, TORCH)}


def test_what_is_written_is_read_again_an_entry_a_line(tmp_path: Path) -> None:
    text = catalogue_text([TORCH, CV])
    (tmp_path / "packages.json").write_text(text)

    assert read_catalogue(tmp_path) == KNOWN
    assert [line.split('"')[3] for line in text.splitlines()[1:-1]] == ["opencv", "torch"]


def test_another_build_is_imported_by_the_same_names() -> None:
    assert packages_of("torch==2.0+cpu\n", KNOWN) == (Package("torch", "2.0+cpu", ("torch", "torchgen")),)


def test_an_unknown_package_is_taken_to_be_imported_by_its_name(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path) == {}
    assert packages_of("left-pad==1\n", {}) == (Package("left-pad", "1", ("left_pad",)),)


def test_of_two_builds_the_one_without_a_local_name_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_at(wanted: Iterable[str], _: object) -> tuple[Entry, ...]:
        asked.extend(wanted)
        return (TORCH,)

    monkeypatch.setattr("whaledo.environment.catalogue.look_at", look_at)
    locks = ("torch==2.0+cpu \\\n    --hash=sha256:aa\n", "torch==2.0 \\\n    --hash=sha256:bb\n")

    for order in (locks, locks[::-1]):
        asked.clear()
        assert complete({}, order) == (TORCH,)
        assert asked == [locks[1]]


def test_what_no_lock_pins_any_more_is_forgotten() -> None:
    assert complete(KNOWN, ["torch==2.0\n"]) == (TORCH,)


def test_import_names_come_from_the_catalogue(runtime: Any) -> None:
    entry = Entry("tiny-whale", "1.0", ("tiny",), 1, "")
    (runtime.folder / "packages.json").write_text(catalogue_text([entry]))

    assert import_names("tiny") == {"tiny": "tiny-whale"}
    assert profiles_with("tiny.fluke") == ("tiny",)
    assert profiles_with("large") == ()
