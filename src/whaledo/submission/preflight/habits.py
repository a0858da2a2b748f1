"""What works on one's own machine and not in a run: its paths, its GPU, its keyboard, the identities in its data."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from whaledo.submission.preflight.certainty import Text
from whaledo.submission.preflight.contents import Contents
from whaledo.submission.preflight.kinds import Finding
from whaledo.submission.preflight.module import Module, located

IDENTITY_COLUMNS = ("whale_id", "encounter_id")
"""Columns of the challenge's own metadata.csv that a run doesn't see."""

_OWN_PATH = re.compile(
    r"(?:/home/|/Users/|/root/|/kaggle/|/content/|/mnt/|/media/|/scratch/|/workspace/|~/|[A-Za-z]:[\\/](?!/))[^\s]*"
)
_LONGEST_PATH = 300
_LABELS = re.compile(r"data/(?:.*/)?[^/]*(?:labels?|ground_?truth)[^/]*\.(?:csv|json|parquet)", re.IGNORECASE)
_TABLES = (".csv", ".tsv", ".parquet", ".feather", ".pkl", ".pickle", ".json", ".npz", ".npy", ".h5", ".db")
_CUDA = re.compile(r"cuda(?::\d+)?")
_ASKS = ("is_available", "device_count", "accelerator")
_ROOT_MODULES = ("torch", "pytorch_lightning", "torchvision")


def own_paths(module: Module) -> Iterator[Finding]:
    """Paths of somebody's own machine."""
    for node in module.does.strings:
        if len(node.value) <= _LONGEST_PATH and _OWN_PATH.fullmatch(node.value):
            yield Finding(
                "own_path",
                f"{node.value!r} isn't there in a run",
                "name files relative to main.py, and the challenge's as ./data",
                module.file,
                node.lineno,
                node.end_lineno,
                sure=False,
            )


def keyboard(module: Module, *, sure: bool) -> Iterator[Finding]:
    """Calls of `input()`."""
    if "input" in module.does.bound or "input" in module.aliases:
        return
    for call, where in module.does.calls:
        if isinstance(call.func, ast.Name) and call.func.id == "input":
            hint = "give it a fixed value: in a run nobody types, so it raises EOFError"
            passes = sure and where.sure
            yield Finding("input", "input() waits for the keyboard", hint, *_place(module, call), sure=passes)


def gpu_only(module: Module) -> Iterator[Finding]:
    """Moves to a GPU in a module that never asks whether there is one."""
    if not any(name.partition(".")[0] in _ROOT_MODULES for name in module.aliases.values()):
        return
    if any(isinstance(node, ast.Attribute) and node.attr in _ASKS for node in module.does.columns):
        return
    for call, _ in module.does.calls:
        if what := _moves(module, call):
            hint = 'choose it once: device = "cuda" if torch.cuda.is_available() else "cpu"'
            yield Finding("gpu_only", f"{what} needs a GPU", hint, *_place(module, call), sure=False)


def _moves(module: Module, call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Attribute) and call.func.attr == "cuda":
        return ".cuda()"
    is_device = module.dotted(call.func) == "torch.device"
    is_move = isinstance(call.func, ast.Attribute) and call.func.attr == "to"
    given = [each.value for each in call.keywords if each.arg in {"device", "map_location"}]
    for node in [*given, *(call.args if is_device or is_move else ())]:
        if (text := module.text(node)) and _CUDA.fullmatch(text):
            return f"device {text!r}"
    return None


def hidden_data(module: Module, written: Collection[str], *, own_tables: bool) -> Iterator[Finding]:
    """Reads of identities or labels that the challenge's data doesn't have in a run.

    Args:
        module: to look at.
        written: columns that the code makes itself.
        own_tables: the submission brings tables; a column may be theirs.
    """
    for text in module.does.strings:
        if _LABELS.fullmatch(located(text.value)):
            hint = "a run sees no labels: read them only where you train"
            yield Finding(
                "hidden_data", f"{text.value!r} isn't there in a run", hint, *_place(module, text), sure=False
            )
    if own_tables:
        return
    for node in module.does.columns:
        column = column_of(node)
        if column in IDENTITY_COLUMNS and column not in written and isinstance(node.ctx, ast.Load):
            hint = "identities are what you are asked for, so a run never sees them"
            message = f"the runtime's metadata.csv has no column `{column}`"
            yield Finding("hidden_data", message, hint, *_place(module, node), sure=False)


def has_tables(contents: Contents) -> bool:
    """Whether the submission brings tables of its own."""
    return any(name.endswith(_TABLES) for name in contents.files)


def written_columns(modules: Collection[Module]) -> set[str]:
    """The identity columns that the code makes itself."""
    nodes = [node for module in modules for node in module.does.columns if isinstance(node.ctx, ast.Store)]
    return {column for node in nodes if (column := column_of(node)) in IDENTITY_COLUMNS}


def column_of(node: ast.Subscript | ast.Attribute) -> str | None:
    """The name of the column that `table["column"]` or `table.column` means."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return (
        node.slice.value
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        else None
    )


def _place(module: Module, node: ast.expr | Text) -> tuple[str, int, int | None]:
    return module.file, node.lineno, node.end_lineno
