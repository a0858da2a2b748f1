"""One module of a submission: parsed, walked through, with the names that it gives to things.

Names are followed as far as a reader would at a glance: `import torch as th` makes `th.load` torch.load, and a
variable that is assigned once in a module stands for its value. What takes more than that is left unknown.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from dataclasses import dataclass

from whaledo.submission.preflight.certainty import Passed, passed
from whaledo.submission.preflight.conditions import PYTHON

HOME = "/code_execution"
"""Where a run unpacks the submission, and its working directory."""

_SILENCE = re.compile(rb"#\s*whaledo:\s*ignore\b")
_DEEPEST = 30
_SAME_PATH = {"resolve", "absolute", "expanduser", "as_posix"}
_JOINS = {"os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"}
_KEEPS = {"str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser"}


class Unreadable(Exception):
    """A module can't be analysed although it may well run."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module that was read.

    Attributes:
        file: its name in the submission.
        does: what it does, with the certainty of each.
        aliases: local name to the dotted name that it was imported as.
        values: variables that are assigned once, and what.
        silenced: lines whose findings the author doesn't want to hear of.
    """

    file: str
    does: Passed
    aliases: dict[str, str]
    values: dict[str, ast.expr]
    silenced: frozenset[int]

    def dotted(self, node: ast.expr) -> str | None:
        """The full name of what an expression names: `torch.hub.load`; `.load` where what is before isn't a name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            return ".".join([self.aliases.get(node.id, node.id), *reversed(parts)])
        return f".{parts[0]}" if parts else None

    def text(self, node: ast.expr, depth: int = 0) -> str | None:
        """The text or path that an expression gives, where that can be told."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Constant(value=str(value)):
                return value
            case ast.Name(id="__file__"):
                return f"{HOME}/{self.file}"
            case ast.Name(id=name) if name in self.values:
                return self.text(self.values[name], depth + 1)
            case ast.BinOp(left=left, op=ast.Div() | ast.Add(), right=right):
                return self._joined("/" if isinstance(node.op, ast.Div) else "", [left, right], depth)
            case ast.JoinedStr(values=values):
                return self._joined("", values, depth)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.text(value, depth + 1)
            case ast.Attribute(value=value, attr="parent"):
                inner = self.text(value, depth + 1)
                return None if inner is None else posixpath.dirname(inner)
            case ast.Call(func=func, args=args, keywords=[]):
                return self._called(func, args, depth)
        return None

    def _joined(self, between: str, nodes: list[ast.expr], depth: int) -> str | None:
        parts = [self.text(each, depth + 1) for each in nodes]
        if None in parts:
            return None
        known = [part for part in parts if part is not None]
        return posixpath.join(*known) if between and known else "".join(known)

    def _called(self, func: ast.expr, args: list[ast.expr], depth: int) -> str | None:
        name = self.dotted(func)
        if name in _JOINS:
            return self._joined("/", args, depth)
        if name in {"os.getcwd", "pathlib.Path.cwd"}:
            return HOME
        if name in _KEEPS and len(args) == 1:
            return self.text(args[0], depth + 1)
        if name == "os.path.dirname" and len(args) == 1:
            inner = self.text(args[0], depth + 1)
            return None if inner is None else posixpath.dirname(inner)
        if isinstance(func, ast.Attribute) and func.attr in _SAME_PATH and not args:
            return self.text(func.value, depth + 1)
        if isinstance(func, ast.Attribute) and func.attr == "joinpath":
            return self._joined("/", [func.value, *args], depth)
        return None


def located(path: str) -> str:
    """A path as the run sees it: relative to the submission's root where it lies inside, else absolute."""
    whole = posixpath.normpath(posixpath.join(HOME, path))
    if whole == HOME:
        return ""
    return whole.removeprefix(f"{HOME}/")


def parse(file: str, source: bytes, *, is_main: bool | None) -> Module:
    """Read a module.

    Args:
        file: its name in the submission.
        source: its bytes, in whatever encoding it declares.
        is_main: whether it is started as a program; None: it may be.

    Raises:
        SyntaxError: it isn't Python 3.11.
        Unreadable: it is too deeply nested.
    """
    if b"\0" in source:
        line = source[: source.index(b"\0")].count(b"\n") + 1
        raise SyntaxError("source code cannot contain null bytes", (file, line, 0, ""))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, feature_version=PYTHON)
        does = passed(tree, is_main=is_main)
    except (RecursionError, MemoryError):
        raise Unreadable("is too deeply nested to be read") from None
    except (ValueError, LookupError) as error:
        raise SyntaxError(str(error), (file, 1, 0, "")) from None
    silenced = (number for number, line in enumerate(source.splitlines(), 1) if _SILENCE.search(line))
    return Module(file, does, _aliases(does), _values(does), frozenset(silenced))


def _aliases(does: Passed) -> dict[str, str]:
    """Local name to the dotted name that it was imported as."""
    found: dict[str, str] = {}
    for node, _ in does.imports:
        for each in node.names:
            if isinstance(node, ast.ImportFrom):
                found[each.asname or each.name] = f"{'.' * node.level}{node.module or ''}.{each.name}"
            else:
                top = each.name.partition(".")[0]
                found[each.asname or top] = each.name if each.asname else top
    return found


def _values(does: Passed) -> dict[str, ast.expr]:
    """The variables that are given a value once, and that value."""
    found: dict[str, ast.expr] = {}
    for node in does.assigned:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
    return {name: value for name, value in found.items() if does.bound[name] == 1}
