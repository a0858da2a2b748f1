"""Where Python finds a submission's own modules, as its import system would look for them among the packed files.

The folder of main.py comes first, then what the code adds to `sys.path`. A folder without `__init__.py` is a
package too, but only if nothing else of that name is found anywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from whaledo.submission.preflight.contents import Contents
from whaledo.submission.preflight.module import Module, located

_ADDS_ONE = {"sys.path.append", "sys.path.insert", "site.addsitedir"}


MOST_FOLDERS = 200
"""Folders on the search path; every import may have to look into all of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a dotted name leads to.

    Attributes:
        modules: the `.py` files that importing it runs, outermost package first.
        missing: the part of the name that isn't there; None: all is.
        folder: the folder of the package that it is, None if it isn't one.
        is_bare: that folder has no `__init__.py`, so it holds modules and nothing else.
    """

    modules: tuple[str, ...] = ()
    missing: str | None = None
    folder: str | None = None
    is_bare: bool = False


@dataclass(slots=True)
class Search:
    """The search path, which grows while modules are read.

    Attributes:
        contents: the submission.
        folders: the folders on the path, in order; "" is the root.
        known: what was looked for on this path already.
    """

    contents: Contents
    folders: list[str] = field(default_factory=lambda: [""])
    known: dict[str, Found | None] = field(default_factory=dict)

    def beside(self, module: str) -> Search:
        """The path of a module that is started as a program of its own."""
        return Search(self.contents, [*self.folders, module.rpartition("/")[0]])

    def extend(self, module: Module) -> None:
        """Add what a module adds to `sys.path`."""
        for node in _added(module):
            text = module.text(node)
            if text is not None:
                self._add([located(text)])
                continue
            parts = [
                each.value.strip("./")
                for each in ast.walk(node)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            ends = [part for part in parts if part]
            fitting = [f for f in self.contents.folders if any(f == e or f.endswith(f"/{e}") for e in ends)]
            # Where not even a part of it can be told, any folder may be meant.
            self._add(sorted(fitting) if ends else sorted(self.contents.folders))

    def _add(self, folders: Iterable[str]) -> None:
        known = set(self.folders)
        new = [one for one in folders if one in self.contents.folders and one not in known]
        if new:
            self.known.clear()
            self.folders += new[: MOST_FOLDERS - len(self.folders)]

    def add_folder_of(self, program: str) -> None:
        """Add the folder of a file that may be started as a program of its own."""
        self._add([program.rpartition("/")[0]])

    def find(self, name: str) -> Found | None:
        """Look for an absolute dotted name; None where even its first part isn't in the submission.

        A bare folder is found as well: that a package of the environment comes before it is for the caller.
        """
        if name not in self.known:
            self.known[name] = self._find(name)
        return self.known[name]

    def _find(self, name: str) -> Found | None:
        top, _, rest = name.partition(".")
        bare = None
        for folder in self.folders:
            found = self._one(folder, top)
            if found and not found.is_bare:
                return self._inside(found, rest)
            bare = bare or found
        return self._inside(bare, rest) if bare else None

    def find_relative(self, module: str, level: int, name: str) -> Found:
        """Look for a name as `module` imports it with leading dots."""
        folder = module.rpartition("/")[0]
        for _ in range(level - 1):
            if not folder:
                return Found(missing="." * level + name)
            folder = folder.rpartition("/")[0]
        package = Found(folder=folder, is_bare=f"{folder}/__init__.py".lstrip("/") not in self.contents.files)
        return self._inside(package, name)

    def submodule(self, package: Found, name: str) -> Found | None:
        """A module inside a package that was found."""
        return None if package.folder is None else self._one(package.folder, name)

    def _inside(self, found: Found, rest: str) -> Found:
        modules = found.modules
        for part in rest.split(".") if rest else ():
            inner = self.submodule(found, part)
            if inner is None:
                return Found(modules, part, found.folder)
            found, modules = inner, modules + inner.modules
        return Found(modules, None, found.folder, found.is_bare)

    def _one(self, folder: str, name: str) -> Found | None:
        path = f"{folder}/{name}" if folder else name
        files = self.contents.files
        for file in (f"{path}/__init__.py", f"{path}.py"):
            if file in files:
                return Found((file,), folder=path if file.endswith("/__init__.py") else None)
        if path in self.contents.compiled:
            return Found()
        return Found(folder=path, is_bare=True) if path in self.contents.folders else None


def _added(module: Module) -> Iterator[ast.expr]:
    """The expressions that a module adds to `sys.path`."""
    for call, _ in module.does.calls:
        name = module.dotted(call.func)
        if name in _ADDS_ONE and call.args:
            yield call.args[-1]
        elif name == "sys.path.extend" and call.args:
            yield from _each(call.args[0])
    for node in module.does.assigned:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(module.dotted(target) == "sys.path" for target in targets):
            yield from _each(node.value) if node.value else ()


def _each(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.List(elts=elts) | ast.Tuple(elts=elts):
            yield from elts
        case ast.BinOp(left=left, right=right):
            yield from (each for side in (left, right) for each in _each(side))
        case ast.Attribute(attr="path"):
            pass
        case _:
            yield node
