"""Which statements the code surely passes, and which it may: a walk through one module, without running it.

Sure is what stands at the top of a module outside of conditions, loops and handled exceptions, and in functions
that such code calls by their plain name. After anything that may leave early (`return`, `raise`, `sys.exit()` in
a branch) nothing is sure any more. All doubt counts as doubt: being sure refuses a submission. Branches that
Python 3.11 on Linux never takes (`if TYPE_CHECKING`, `if sys.platform == "win32"`) are left out altogether.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from whaledo.submission.preflight.conditions import holds

MOST_CALLS = 10_000
"""Calls, strings and imports of a module that are kept, each; people write fewer."""

_CATCH_IMPORTS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_EXITS = {"exit", "quit", "_exit", "abort"}
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_HARMLESS_DECORATORS = {"no_grad", "inference_mode"}
_LAZY = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CONDITIONAL = {ast.BoolOp, ast.IfExp, ast.Lambda, ast.Assert, *_LAZY}
_NOTED = {ast.Constant, ast.Call, ast.Subscript, ast.Attribute, ast.arg, ast.MatchAs, ast.MatchStar}
_EMPTY = {ast.Load, ast.Store, ast.Del}


@dataclass(frozen=True, slots=True)
class Where:
    """What is known of a place in a module.

    Attributes:
        sure: the code passes it whenever the module runs.
        tried: a failing import is caught.
        instead_of: it runs only if one of these imports of its `try` failed.
    """

    sure: bool = True
    tried: bool = False
    instead_of: tuple[ast.Import | ast.ImportFrom, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A string in the code, docstrings left out, and the lines that it is on."""

    value: str
    lineno: int
    end_lineno: int | None


@dataclass(slots=True)
class Passed:
    """What a module does.

    Attributes:
        imports: with their places, as are calls.
        calls: of anything.
        assigned: all assignments; some are to `sys.path`.
        bound: how often each name is given to something, imports left out.
        strings: all that it holds.
        columns: `x["name"]` and `x.name`, which may be columns of a table.
    """

    imports: list[tuple[ast.Import | ast.ImportFrom, Where]] = field(default_factory=list)
    calls: list[tuple[ast.Call, Where]] = field(default_factory=list)
    assigned: list[ast.Assign | ast.AnnAssign | ast.AugAssign] = field(default_factory=list)
    bound: Counter[str] = field(default_factory=Counter)
    strings: list[Text] = field(default_factory=list)
    columns: list[ast.Subscript | ast.Attribute] = field(default_factory=list)


def passed(tree: ast.Module, *, is_main: bool | None) -> Passed:
    """Go through a module.

    Args:
        tree: the module.
        is_main: whether `__name__` is "__main__"; None: it may be.

    Raises:
        RecursionError: it is nested too deeply.
    """
    walk = _Walk(is_main, _functions(tree))
    walk.block(tree.body, Where())
    walk.functions()
    return walk.found


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions at the top of a module; of several with one name the last."""
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _runs_when_called(function: ast.FunctionDef) -> bool:
    names = {_last_name(one.func if isinstance(one, ast.Call) else one) for one in function.decorator_list}
    return names <= _HARMLESS_DECORATORS and not any(
        isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function.body)
    )


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _own_nodes(statements: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but those inside of further functions and classes."""
    pending = list(statements)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))


def _may_leave(statement: ast.stmt) -> bool:
    """Whether what comes after a statement may be passed over."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return True
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Call) and _last_name(node.value.func) in _EXITS:
                return True
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in _BLOCKS:
                pending.extend(getattr(node, block, ()))
    return False


class _Walk:
    """The walk itself. Statements recurse, because Python nests them 100 deep at most but for `elif`."""

    def __init__(self, is_main: bool | None, waiting: dict[str, ast.FunctionDef]) -> None:
        self.is_main = is_main
        self.waiting = waiting
        self.called: list[ast.FunctionDef] = []
        self.found = Passed()

    def functions(self) -> None:
        """Go through the functions: first those that were surely called, and what they call in turn."""
        while self.called:
            function = self.called.pop()
            # A second meaning of its name may be the one that was called.
            sure = self.found.bound[function.name] == 1 and _runs_when_called(function)
            self.block(function.body, Where(sure=sure))
        for function in self.waiting.values():
            self.block(function.body, Where(sure=False))

    def block(self, statements: list[ast.stmt], where: Where) -> None:
        for statement in statements:
            self._statement(statement, where)
            if where.sure and _may_leave(statement):
                where = replace(where, sure=False)

    def _statement(self, node: ast.stmt, where: Where) -> None:
        maybe = replace(where, sure=False)
        match node:
            case ast.Import() | ast.ImportFrom():
                if len(self.found.imports) < MOST_CALLS:
                    self.found.imports.append((node, where))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.found.bound[node.name] += 1
                self._expressions([*node.decorator_list, node.args], where)
                if self.waiting.get(node.name) is not node:
                    self.block(node.body, Where(sure=False))
            case ast.ClassDef():
                self.found.bound[node.name] += 1
                self._expressions([*node.decorator_list, *node.bases, *node.keywords], where)
                self.block(node.body, where)
            case ast.If():
                self._if(node, where, maybe)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._expressions(
                    [node.test] if isinstance(node, ast.While) else [node.iter, node.target], where
                )
                self.block(node.body, maybe)
                self.block(node.orelse, maybe)
            case ast.With() | ast.AsyncWith():
                self._expressions(node.items, where)
                catches = any(_suppresses(item.context_expr) for item in node.items)
                self.block(node.body, replace(maybe, tried=True) if catches else where)
            case ast.Try() | ast.TryStar():
                self._try(node, where, maybe)
            case ast.Match():
                self._expressions([node.subject], where)
                for case in node.cases:
                    self._expressions([case.pattern, *([case.guard] if case.guard else [])], maybe)
                    self.block(case.body, maybe)
            case ast.Expr(value=ast.Constant()):
                pass  # a docstring
            case _:
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                    self.found.assigned.append(node)
                self._expressions([node], where)

    def _if(self, node: ast.If, where: Where, maybe: Where) -> None:
        self._expressions([node.test], where)
        truth = holds(node.test, is_main=self.is_main)
        if truth is not False:
            self.block(node.body, where if truth else maybe)
        if truth is not True:
            self.block(node.orelse, where if truth is False else maybe)

    def _try(self, node: ast.Try | ast.TryStar, where: Where, maybe: Where) -> None:
        inside = where
        if not all(_passes_on(handler) for handler in node.handlers):
            catches = any(_catches_imports(handler) for handler in node.handlers)
            inside = replace(maybe, tried=where.tried or catches)
        self.block(node.body, inside)
        self.block(node.orelse, inside)
        tried = tuple(each for each in node.body if isinstance(each, ast.Import | ast.ImportFrom))
        for handler in node.handlers:
            if handler.name:
                self.found.bound[handler.name] += 1
            self.block(handler.body, replace(maybe, instead_of=tried if _catches_imports(handler) else ()))
        self.block(node.finalbody, where)

    def _expressions(self, nodes: Sequence[ast.AST], where: Where) -> None:
        """Note what expressions do. A chain of operators nests thousands deep, so this doesn't recurse.

        Most of the check's time is spent here, so nodes that hold nothing are passed by as early as can be.
        """
        unsure = replace(where, sure=False)
        pending = [(node, where) for node in nodes]
        while pending:
            node, here = pending.pop()
            kind = node.__class__
            if kind is ast.Name:
                if node.ctx.__class__ is ast.Store:  # type: ignore[attr-defined]  # it is a Name
                    self.found.bound[node.id] += 1  # type: ignore[attr-defined]
                continue
            if kind in _NOTED:
                self._note(node, here)
            doubtful = _doubtful(node) if kind in _CONDITIONAL else ()
            for field_name in node._fields:
                value = getattr(node, field_name, None)
                pending += [
                    (each, unsure if any(each is one for one in doubtful) else here)
                    for each in (value if value.__class__ is list else (value,))
                    if isinstance(each, ast.AST) and each.__class__ not in _EMPTY
                ]

    def _note(self, node: ast.AST, where: Where) -> None:
        found = self.found
        match node:
            case ast.Constant(value=str(value)):
                if len(found.strings) < MOST_CALLS:
                    found.strings.append(Text(value, node.lineno, node.end_lineno))
            case ast.Call(func=func) if len(found.calls) < MOST_CALLS:
                found.calls.append((node, where))
                if where.sure and isinstance(func, ast.Name) and func.id in self.waiting:
                    self.called.append(self.waiting.pop(func.id))
            case ast.Subscript() | ast.Attribute() if len(found.columns) < MOST_CALLS:
                found.columns.append(node)
            case ast.arg(arg=name) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.bound[name] += 1


def _doubtful(node: ast.AST) -> list[ast.AST]:
    """The parts of an expression that may be left out when it is evaluated."""
    match node:
        case ast.BoolOp():
            return list(node.values[1:])
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.Lambda():
            return [node.body]
        case ast.Assert():
            return [node.msg] if node.msg else []
        case _ if isinstance(node, _LAZY):
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            return [*parts, *node.generators]
    return []


def _suppresses(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last_name(node.func) == "suppress"


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler always raises, so that what it catches still ends the run."""
    return isinstance(handler.body[-1], ast.Raise) and not any(map(_may_leave, handler.body[:-1]))


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _last_name(kind) in _CATCH_IMPORTS for kind in kinds)
