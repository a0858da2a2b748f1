"""Where main.py has to be, and what is suggested when it isn't there."""

from __future__ import annotations

import pytest

from whaledo.archive import Member, find_main

CASES = {
    "one folder down": (["mymodel/main.py", "mymodel/w.pt"], "in mymodel/", "whaledo pack folder/mymodel"),
    "two folders down": (["a/b/main.py"], "in a/b/", "whaledo pack folder/a/b"),
    "nearest of several": (["b/c/main.py", "b/main.py"], "in b/ (and in 1 more)", "whaledo pack folder/b"),
    "other case": (["Main.py"], "only Main.py", "rename it to main.py"),
    "hidden extension": (["main.py.txt"], "only main.py.txt", "rename it to main.py"),
    "usual other name": (["utils.py", "inference.py"], "only inference.py", "rename inference.py to main.py"),
    "only one program": (["solve.py", "w.pt"], "only solve.py", "rename solve.py to main.py"),
    "notebook": (["main.ipynb"], "the notebook main.ipynb", "jupyter nbconvert --to script main.ipynb"),
    "several programs": (["a.py", "b.py"], "no main.py at the root", "python main.py"),
    "folder": (["main.py/a.py"], "main.py is a folder", "has to be a file"),
    "nothing": ([], "nothing is there at all", "add a main.py"),
}


def files(*names: str) -> list[Member]:
    return [Member(name, 1) for name in names]


def test_main_py_at_the_root_is_found() -> None:
    assert find_main(files("a/main.py", "main.py")).found


@pytest.mark.parametrize("case", CASES)
def test_the_fix_fits_what_is_there_instead(case: str) -> None:
    names, message, hint = CASES[case]
    search = find_main(files(*names), "folder")
    assert not search.found
    assert message in search.message
    assert hint in search.hint


def test_a_folder_called_main_py_is_not_main_py() -> None:
    assert not find_main([Member("main.py", 0, is_folder=True)]).found
