"""What is sure: the same import at different places, in or out of reach of every run."""

from __future__ import annotations

import ast

import pytest

from whaledo.submission.preflight.certainty import passed


def surely(code: str) -> bool:
    """Whether the call of `here` in this code is surely passed."""
    calls = passed(ast.parse(code), is_main=True).calls
    (place,) = [where for call, where in calls if isinstance(call.func, ast.Name) and call.func.id == "here"]
    return place.sure


@pytest.mark.parametrize(
    "code",
    [
        "here()",
        "x = [here()]",
        "class A:\n    x = here()",
        "def main():\n    here()\nmain()",
        "def main():\n    here()\nif __name__ == '__main__':\n    main()",
        "def inner():\n    here()\ndef main():\n    with open('x') as f:\n        inner()\nmain()",
        "@torch.no_grad()\ndef main():\n    here()\nmain()",
        "try:\n    here()\nfinally:\n    pass",
        "try:\n    pass\nfinally:\n    here()",
        "try:\n    here()\nexcept Exception as e:\n    print(e)\n    raise",
        "for x in here():\n    pass",
        "def f(x=here()):\n    pass",
        "def f():\n    return 1\nhere()",
        "if x:\n    pass\nhere()",
        "if not False:\n    here()",
    ],
)
def test_what_every_run_passes_is_sure(code: str) -> None:
    assert surely(code)


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    here()",
        "def f():\n    here()\nif x:\n    f()",
        "if x:\n    here()",
        "for x in y:\n    here()",
        "while x:\n    here()",
        "x and here()",
        "here() if x else 0",
        "f = lambda: here()",
        "[here() for x in y]",
        "try:\n    here()\nexcept ValueError:\n    pass",
        "try:\n    here()\nexcept ValueError:\n    if x:\n        exit()\n    raise",
        "if x:\n    sys.exit()\nhere()",
        "def main():\n    if x:\n        return\n    here()\nmain()",
        "def main():\n    yield here()\nmain()",
        "async def main():\n    here()\nmain()",
        "@cached\ndef main():\n    here()\nmain()",
        "def main():\n    here()\ndef main():\n    pass\nmain()",
        "class A:\n    def f(self):\n        here()\nA().f()",
        "match x:\n    case 1:\n        here()",
        "with suppress(Exception):\n    here()",
        "raise SystemExit\nhere()",
    ],
)
def test_all_doubt_counts(code: str) -> None:
    assert not surely(code)
