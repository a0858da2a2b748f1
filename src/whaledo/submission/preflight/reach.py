"""From main.py to every module that it imports: read each once, and note what each import leads to.

Modules are read breadth first, so that a limit cuts off vendored libraries rather than the competitor's own code.
"""

from __future__ import annotations

import ast
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from whaledo.archive.main_file import MAIN
from whaledo.submission.preflight.certainty import Where
from whaledo.submission.preflight.contents import Contents
from whaledo.submission.preflight.kinds import Finding
from whaledo.submission.preflight.module import Module, Unreadable, located, parse
from whaledo.submission.preflight.search import Found, Search
from whaledo.units import show_size

MODULE_BYTES = 256 * 1024
"""A longer module isn't read; Python needs up to a thousand times its size for it."""

SOURCE_BYTES = 1536 * 1024
"""No more source than this is read altogether: about a second's work."""

MODULES = 3000
"""No more modules than this are read."""

READ_FOR_S = 3.0
"""Source that was written to be slow to read stops here; processor time, so that a busy machine reads as much."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An import, and what it leads to inside the submission.

    Attributes:
        module: that imports.
        name: as it is written: `timm.models`, `.utils`.
        node: the statement, or the call of `importlib.import_module`.
        where: how sure it is.
        found: in the submission; None: not there at all, so the environment has to have it.
    """

    module: Module
    name: str
    node: ast.stmt | ast.Call
    where: Where
    found: Found | None

    @property
    def top(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


@dataclass(slots=True)
class Reached:
    """What main.py leads to.

    Attributes:
        search: where modules are looked for.
        modules: those that were read, by file.
        sure: files that are surely run.
        wanted: every import.
        findings: modules that are no Python, or that weren't read.
        complete: all modules that are reached were read.
    """

    search: Search
    modules: dict[str, Module] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    wanted: list[Wanted] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True


class Reader:
    """Reads modules while there is allowance for it."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.left_bytes, self.left_modules = SOURCE_BYTES, MODULES
        self.until = time.thread_time() + READ_FOR_S

    def read(self, file: str, *, is_main: bool | None) -> Module:
        """Read a module.

        Raises:
            SyntaxError: it isn't Python 3.11.
            Unreadable: it is too long, too deep, or one too many.
        """
        size_bytes = self.contents.files[file].size_bytes
        if size_bytes > MODULE_BYTES:
            raise Unreadable(
                f"is {show_size(size_bytes)} long; modules up to {show_size(MODULE_BYTES)} are read"
            )
        late = time.thread_time() > self.until
        if size_bytes > self.left_bytes or self.left_modules == 0 or late:
            raise Unreadable("comes after more code than is read")
        self.left_bytes -= size_bytes
        self.left_modules -= 1
        return parse(file, self.contents.read(file, size_bytes), is_main=is_main)


def reach(contents: Contents, reader: Reader) -> Reached:
    """Follow the imports from main.py."""
    result = Reached(Search(contents))
    broken: dict[str, Finding] = {}
    pending = deque([MAIN])
    programs = {MAIN}
    while pending:
        while pending:
            file = pending.popleft()
            if file in result.modules or file in broken:
                continue
            is_main = True if file == MAIN else (None if file in programs else False)
            module = _read(file, reader, broken, is_main=is_main)
            if module is None:
                continue
            result.modules[file] = module
            result.search.extend(module)
            started = list(_programs(module, contents))
            programs.update(started)
            for program in started:
                result.search.add_folder_of(program)
            pending += started + _own(module, result)
        # A module may be imported above the line, or in another file than the one, that adds its folder.
        known = result.modules.keys() | broken
        pending += [
            file for module in result.modules.values() for file in _own(module, result) if file not in known
        ]
    _link(result)
    for file, finding in broken.items():
        sure = finding.sure and file in result.sure
        result.findings.append(
            Finding(finding.kind, finding.message, finding.hint, file, finding.line, sure=sure)
        )
    result.complete = not any(finding.kind == "not_read" for finding in result.findings)
    return result


def _own(module: Module, reached: Reached) -> list[str]:
    """The packed files that a module imports."""
    return [file for _, _, _, found in imports(module, reached.search) if found for file in found.modules]


def _read(file: str, reader: Reader, broken: dict[str, Finding], *, is_main: bool | None) -> Module | None:
    try:
        return reader.read(file, is_main=is_main)
    except SyntaxError as error:
        message = f"is no valid Python 3.11: {error.msg}"
        broken[file] = Finding("syntax_error", message, file=file, line=error.lineno or 1)
    except Unreadable as error:
        broken[file] = Finding("not_read", str(error), "what it imports and opens wasn't checked", file)
    return None


def _link(result: Reached) -> None:
    """Resolve every import with the whole search path, and find the modules that surely run."""
    edges: dict[str, set[str]] = {}
    for module in result.modules.values():
        for name, node, where, found in imports(module, result.search):
            result.wanted.append(Wanted(module, name, node, where, found))
            if found and where.sure:
                edges.setdefault(module.file, set()).update(found.modules)
    pending = [MAIN]
    while pending:
        file = pending.pop()
        if file not in result.sure:
            result.sure.add(file)
            pending += edges.get(file, ())


def imports(module: Module, search: Search) -> Iterator[tuple[str, ast.stmt | ast.Call, Where, Found | None]]:
    """Every import of a module: the name, the place, and what it leads to in the submission."""
    for node, where in module.does.imports:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node, where, search.find(alias.name)
        else:
            yield from _from(module, node, where, search)
    for call, where in module.does.calls:
        if module.dotted(call.func) in {"importlib.import_module", "__import__"} and call.args:
            name = module.text(call.args[0])
            if name and name.replace(".", "").isidentifier() and not name.startswith("."):
                yield name, call, where, search.find(name)


def _from(
    module: Module, node: ast.ImportFrom, where: Where, search: Search
) -> Iterator[tuple[str, ast.stmt | ast.Call, Where, Found | None]]:
    written = "." * node.level + (node.module or "")
    if node.level:
        found: Found | None = search.find_relative(module.file, node.level, node.module or "")
    else:
        found = search.find(written)
    if found is None or found.missing:
        yield written, node, where, found
        return
    yield written, node, where, found
    for alias in node.names:
        inner = search.submodule(found, alias.name)
        if inner is not None:
            yield f"{written.rstrip('.')}.{alias.name}", node, where, inner
        elif found.is_bare and alias.name != "*":
            yield written, node, where, Found(missing=alias.name, folder=found.folder)


def _programs(module: Module, contents: Contents) -> Iterator[str]:
    """The packed Python files that a module names in its strings: it may start them."""
    for node in module.does.strings:
        if node.value.endswith(".py") and (name := located(node.value)) in contents.files:
            yield name
