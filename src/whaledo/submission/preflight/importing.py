"""Imports that lead nowhere: not packed, not in the profile, not to be found from where they are asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from whaledo.archive.main_file import MAIN
from whaledo.submission.preflight.certainty import Where
from whaledo.submission.preflight.contents import Contents
from whaledo.submission.preflight.environment import Environment
from whaledo.submission.preflight.kinds import Finding
from whaledo.submission.preflight.module import Module, Unreadable
from whaledo.submission.preflight.reach import Reached, Reader, Wanted, imports
from whaledo.submission.preflight.search import Search

_ARCHIVES = (".whl", ".egg", ".zip", ".tar", ".tar.gz", ".tgz")
_RUNS_OWN = {
    "data": "the run's own data/ is there instead",
    "submission": "the run's own submission/ is there",
}


def missing_imports(reached: Reached, environment: Environment) -> Iterator[Finding]:
    """The imports of all modules that main.py reaches."""
    # What is unpacked at run time can't be seen here, so nothing is sure to be missing any more.
    contents = reached.search.contents
    packed = _by_top(contents)
    packed_up = any(name.endswith(_ARCHIVES) for name in contents.files)
    stubs = {name for module in reached.modules.values() for name in _stubs(module)}
    for wanted in reached.wanted:
        if (
            wanted.top in stubs
            or is_there(wanted, environment)
            or _is_replaced(wanted.where, wanted.module, reached.search, environment)
        ):
            continue
        sure = wanted.where.sure and wanted.module.file in reached.sure and not packed_up
        kind, message, hint = _explain(wanted, packed, environment)
        if wanted.where.tried:
            hint = f"the `except` after it decides what happens then; {hint}"
        yield Finding(
            kind,
            message,
            hint,
            wanted.module.file,
            wanted.node.lineno,
            wanted.node.end_lineno,
            sure=sure,
        )


def _stubs(module: Module) -> Iterator[str]:
    """The modules that the code makes itself: `sys.modules["wandb"] = ...`."""
    for node in module.does.columns:
        if isinstance(node, ast.Subscript) and module.dotted(node.value) == "sys.modules":
            yield module.text(node.slice) or ""


def is_there(wanted: Wanted, environment: Environment) -> bool:
    """Whether an import succeeds, as far as can be seen."""
    if wanted.module.file == MAIN and wanted.name.startswith("."):
        return False
    if wanted.found is None:
        return environment.has(wanted.top)
    if wanted.found.missing is None:
        return True
    # A folder without __init__.py gives way to a package of the environment.
    return not wanted.found.modules and not wanted.name.startswith(".") and environment.has(wanted.top)


def _is_replaced(where: Where, module: Module, search: Search, environment: Environment) -> bool:
    """Whether it only stands in for imports of its `try` that succeed."""
    names = [
        name
        for node in where.instead_of
        for name in (
            [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    ]
    return bool(names) and all(
        environment.has(name.partition(".")[0]) or search.find(name) is not None for name in names
    )


def _explain(wanted: Wanted, packed: Mapping[str, str], environment: Environment) -> tuple[str, str, str]:
    if wanted.name.startswith("."):
        if wanted.module.file == MAIN:
            hint = f"write `from {wanted.name.strip('.') or 'module'} import ...` without the dot"
            message = "main.py imports with a leading dot, but is started as a program and in no package"
            return "relative_import", message, hint
        missing = wanted.found.missing if wanted.found else wanted.name
        return "missing_import", f"`{missing}` of `{wanted.name}` isn't packed", "pack that module"
    if wanted.found and wanted.found.missing:
        if wanted.found.folder in _RUNS_OWN:
            return (
                "missing_import",
                f"`{wanted.name}` isn't packed",
                f"rename it: {_RUNS_OWN[wanted.found.folder]}",
            )
        where = f"{wanted.found.folder}/" if wanted.found.folder else wanted.name
        return (
            "missing_import",
            f"`{wanted.found.missing}` isn't in the packed {where}",
            "pack that module, or mend its name",
        )
    message, hint = environment.advice(wanted.top)
    if elsewhere := packed.get(wanted.top):
        folder = elsewhere.removesuffix("/__init__.py").rpartition("/")[0]
        hint = (
            f"{elsewhere} is packed, but not where it is looked for: sys.path.insert(0, {folder!r}) before it"
        )
    return "missing_import", message, hint


def _by_top(contents: Contents) -> dict[str, str]:
    """For each name, the packed module or package of that name that is nearest to the root."""
    modules = [name for name in contents.files if name.endswith(".py")]
    nearest: dict[str, str] = {}
    for name in sorted(modules, key=lambda name: (name.count("/"), name)):
        top = name.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        nearest.setdefault(top, name)
    return nearest


def unreached_imports(reached: Reached, reader: Reader, environment: Environment) -> Iterator[Finding]:
    """For each packed module that main.py doesn't reach, what it would miss if it ran after all."""
    for file in sorted(reached.search.contents.files):
        if not file.endswith(".py") or file in reached.modules:
            continue
        try:
            module = reader.read(file, is_main=None)
        except (SyntaxError, Unreadable):
            continue
        own = reached.search.beside(file)
        found = [Wanted(module, *each) for each in imports(module, own)]
        names = sorted(
            {each.top for each in found if not each.name.startswith(".") and not is_there(each, environment)}
        )
        if names:
            some = ", ".join(f"`{name}`" for name in names[:5]) + (" ..." if len(names) > 5 else "")
            message = f"imports {some}, which can't be found; main.py doesn't import this module"
            yield Finding("unreached_import", message, file=file)
