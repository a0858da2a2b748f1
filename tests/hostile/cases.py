"""The attack suite as data: a folder a case, read here, and the tables of docs/isolation.md, made of it.

`case.toml` holds the promise and how it shows; the code beside it attacks. A case that expects no verdict only
looks and prints what it found; many of those share one run, each in a process of its own.
"""

from __future__ import annotations

import runpy
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whaledo.execution.records import Code, Guarantee, Level

FOLDER = Path(__file__).resolve().parent

PROMISES = {guarantee.value: guarantee.meaning for guarantee in Guarantee} | {
    "archives": "a zip is refused before anything of it is written outside a new folder",
    "output": "only a plain file of bounded size is fetched, after the code is dead; nothing else is touched",
    "verdicts": "the verdict is right, and no submission's act is called our fault",
    "other runs": "runs at one time and runs one after the other see nothing of each other",
    "honest": "unusual but honest submissions pass untouched",
}
"""What is promised: the guarantees of every run's record, and what holds for runs as a whole."""

ENGINES = {
    "bubblewrap-us": "bubblewrap, root",
    "bubblewrap-ordinary": "bubblewrap, ordinary user",
    "docker-us": "Docker, root",
    "docker-ordinary": "Docker, ordinary user",
    "podman-us": "Podman, root",
    "podman-ordinary": "Podman, ordinary user",
}

LESS = Level.BEST_EFFORT

WEAKER = {
    "bubblewrap-ordinary": {"memory": LESS, "cpus": LESS},
    "docker-us": {"disk": LESS},
    "docker-ordinary": {"disk": LESS},
    "podman-us": {"disk": LESS},
    "podman-ordinary": {"disk": LESS, "memory": LESS, "cpus": LESS},
}
"""What isn't enforced on a host with control groups of version 1, where only root may make one."""


class BadCase(Exception):
    """A case.toml that can't be meant. The text names it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One attack, or one honest submission.

    Attributes:
        name: group and folder, with a slash.
        title: the promise, in a sentence.
        guarantee: one of `PROMISES`.
        expect: the verdicts that are right; empty for a case that only looks.
        reason: why more than one is.
        expect_less: the verdict that is right where the guarantee is held by best effort, if it is another.
        says: what the verdict's message or hint must hold.
        limits: what it is run with.
        finds: what the printed JSON must hold: a value, or a list of those that are right.
        uses: figures of the run's usage, and the most that each may be where the guarantee is enforced.
    """

    name: str
    title: str
    guarantee: str
    expect: tuple[str, ...] = ()
    reason: str = ""
    expect_less: str = ""
    says: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    finds: Mapping[str, Any] = field(default_factory=dict)
    uses: Mapping[str, float] = field(default_factory=dict)

    @property
    def looks(self) -> bool:
        """Whether it only looks, and shares its run."""
        return not self.expect

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return FOLDER / self.name

    def files(self) -> dict[str, bytes]:
        """What is zipped: all files of the case but the description."""
        paths = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "case.toml"]
        found = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in sorted(paths)}
        return {name: content for name, content in found.items() if "__pycache__" not in name}

    def zip(self) -> bytes | None:
        """The zip that the case makes by itself; None where its files are zipped as they are."""
        maker = self.folder / "make_zip.py"
        made: bytes | None = runpy.run_path(str(maker))["make"]() if maker.exists() else None
        return made


def read_case(path: Path) -> Case:
    """Read one case.toml.

    Raises:
        BadCase: it names what there isn't, or leaves out what there must be.
    """
    name = path.parent.relative_to(FOLDER).as_posix()
    given = tomllib.loads(path.read_text("utf-8"))
    expect = given.pop("expect", [])
    try:
        case = Case(name, **given, expect=tuple([expect] if isinstance(expect, str) else expect))
    except TypeError as error:
        raise BadCase(f"{name}: {error}") from error
    if case.guarantee not in PROMISES or not {*case.expect, case.expect_less} <= {*Code, ""}:
        raise BadCase(f"{name}: there is no {case.guarantee} or {case.expect}")
    if (len(case.expect) > 1) is not bool(case.reason):
        raise BadCase(f"{name}: a reason is given where, and only where, several verdicts are right")
    if case.looks and (case.limits or not case.finds):
        raise BadCase(f"{name}: a case that only looks has something to find and no limits of its own")
    return case


def read_cases() -> dict[str, Case]:
    """All cases by name."""
    cases = [read_case(path) for path in sorted(FOLDER.glob("*/*/case.toml"))]
    return {case.name: case for case in cases}


def level_on(engine: str, guarantee: str) -> Level:
    """The least level at which a guarantee holds with an engine, on a host like CI's."""
    return WEAKER.get(engine, {}).get(guarantee, Level.ENFORCED)


def page() -> str:
    """The part of docs/isolation.md that is made of the cases."""
    return "\n".join([*_levels(), *_attacks()])


def _levels() -> Iterator[str]:
    cases = read_cases().values()
    yield f"| promise | {' | '.join(ENGINES.values())} | attacks |"
    yield "|---|" + "---|" * len(ENGINES) + "---|"
    for promise in PROMISES:
        levels = [level_on(engine, promise).value.replace("_", " ") for engine in ENGINES]
        cells = levels if promise in {*Guarantee} else ["holds"] * len(ENGINES)
        link = f"[{sum(case.guarantee == promise for case in cases)}](#{promise.replace(' ', '-')})"
        yield f"| {promise} | {' | '.join(cells)} | {link} |"
    yield ""


def _attacks() -> Iterator[str]:
    for promise, meaning in PROMISES.items():
        yield f"### {promise}\n\n{meaning[0].upper()}{meaning[1:]}.\n"
        for case in read_cases().values():
            if case.guarantee == promise:
                ends = " or ".join(f"`{code}`" for code in case.expect)
                less = f"; `{case.expect_less}` where {promise} is best effort" if case.expect_less else ""
                why = f" ({ends}{': ' if case.reason else ''}{case.reason}{less})" if ends else ""
                yield f"- [{case.title}](../tests/hostile/{case.name}){why}"
        yield ""
