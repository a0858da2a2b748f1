"""Conditions that are decided before a run: the Python version, the system, `TYPE_CHECKING`, `__name__`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

PYTHON = (3, 11)

_KNOWN: dict[str, Any] = {
    "sys.platform": "linux",
    "os.name": "posix",
    "platform.system()": "Linux",
    "sys.version_info": (*PYTHON, 99),
    "sys.version_info[:2]": PYTHON,
    "sys.version_info[0]": PYTHON[0],
    "sys.version_info.major": PYTHON[0],
    "sys.version_info.minor": PYTHON[1],
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def holds(test: ast.expr, *, is_main: bool | None) -> bool | None:
    """Whether a condition holds in every run; None: that can't be told."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = holds(operand, is_main=is_main)
            return None if inner is None else not inner
        case ast.Call(
            func=ast.Attribute(value=value, attr="startswith"), args=[ast.Constant(value=str(start))]
        ):
            known = _KNOWN.get(ast.unparse(value))
            return known.startswith(start) if isinstance(known, str) else None
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return _compare(left, _COMPARE[type(op)], right, is_main)
    return None


def _compare(
    left: ast.expr, compare: Callable[[Any, Any], bool], right: ast.expr, is_main: bool | None
) -> bool | None:
    if not isinstance(left, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        return None
    try:
        name, value = ast.unparse(left), ast.literal_eval(right)
    except (ValueError, TypeError):
        return None
    if name == "__name__" and value == "__main__":
        return None if is_main is None else compare(is_main, True)
    known = _KNOWN.get(name)
    try:
        return compare(known, value) if type(known) is type(value) else None
    except TypeError:
        return None
