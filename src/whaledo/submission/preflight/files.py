"""Files that the code opens and that aren't packed, and big files that are packed and never named.

A name counts where it can be followed to a text (`ROOT / "weights" / "b5.pth"`, with ROOT known). Nothing is said
of a name that also goes into any other call: the code may make that file, or ask first whether it is there.
"""

from __future__ import annotations

import ast
import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from whaledo.submission.preflight.contents import Contents
from whaledo.submission.preflight.downloads import unpacks
from whaledo.submission.preflight.kinds import Finding
from whaledo.submission.preflight.module import Module, located
from whaledo.units import show_size

BIG_BYTES = 50 << 20

_READERS = {
    *(
        f"pandas.read_{kind}"
        for kind in ("csv", "table", "parquet", "pickle", "json", "feather", "excel", "hdf")
    ),
    *(f"polars.read_{kind}" for kind in ("csv", "parquet", "json", "ipc")),
    *("numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile", "joblib.load", "PIL.Image.open"),
    *("torch.load", "torch.jit.load", "safetensors.safe_open", "safetensors.torch.load_file"),
    *("onnxruntime.InferenceSession", "faiss.read_index"),
}
"""Functions that read the file that their first argument names, and raise where it isn't there."""

_QUIET_READERS = {"cv2.imread", "cv2.dnn.readNet"}
_METHODS = {".read_text", ".read_bytes"}
_NAMING = {
    "str",
    "pathlib.Path",
    "pathlib.PurePath",
    "os.path.join",
    "os.path.abspath",
    "os.path.dirname",
    "print",
}
_LOGGING = re.compile(r".*(?:log|logger|logging|warnings)\.\w+")
_CHANGES = {"os.chdir", "os.fchdir"}
_COMPARED = 30  # packed names that a missing one is compared with
_MOST_BIG = 100
_CONFIGURATION = (".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".txt")
_CONFIGURATION_BYTES, _CONFIGURATIONS = 64 * 1024, 50
_SYSTEM = ("/tmp/", "/dev/", "/proc/", "/sys/", "/etc/", "/usr/", "/opt/", "/var/", "/bin/", "/lib")  # noqa: S108 - told apart, not used


def missing_files(modules: Iterable[Module], contents: Contents, sure: set[str]) -> Iterator[Finding]:
    """Reads of files that aren't packed."""
    modules = list(modules)
    elsewhere, packed = _named_elsewhere(modules), _Packed(contents)
    # After either of these a name may lead to what can't be seen here.
    moved = any(
        module.dotted(call.func) in _CHANGES or unpacks(call)
        for module in modules
        for call, _ in module.does.calls
    )
    for module in modules:
        for call, where in module.does.calls:
            path = _read_path(module, call)
            if path is None or posixpath.basename(path) in elsewhere:
                continue
            place = located(path)
            if _is_there(place, contents):
                continue
            quiet = module.dotted(call.func) in _QUIET_READERS
            yield Finding(
                "missing_file",
                f"opens {_shown(place)}, which isn't packed",
                packed.hint(place),
                module.file,
                call.lineno,
                call.end_lineno,
                sure=where.sure and module.file in sure and not moved and not quiet,
            )


def _read_path(module: Module, call: ast.Call) -> str | None:
    """The file that a call reads, if it is a call that reads, and the name can be told."""
    name = module.dotted(call.func) or ""
    first = call.args[0] if call.args else None
    if name in {"open", "io.open"}:
        return module.text(first) if first is not None and _only_reads(call, 1) else None
    if name in _READERS or name in _QUIET_READERS:
        return _path_text(module, first)
    if name.rpartition(".")[2] == "load_from_checkpoint":
        given = {each.arg: each.value for each in call.keywords}
        return _path_text(module, first or given.get("checkpoint_path"))
    if isinstance(call.func, ast.Attribute) and f".{call.func.attr}" in {*_METHODS, ".open"}:
        is_path = not isinstance(call.func.value, ast.Constant) and module.dotted(call.func.value) not in {
            "os",
            "io",
        }
        if is_path and (call.func.attr != "open" or _only_reads(call, 0)):
            return module.text(call.func.value)
    return None


def _path_text(module: Module, node: ast.expr | None) -> str | None:
    text = module.text(node) if node is not None else None
    return None if text and "://" in text else text


def _only_reads(call: ast.Call, place: int) -> bool:
    named = next((each.value for each in call.keywords if each.arg == "mode"), None)
    mode = named or (call.args[place] if len(call.args) > place else None)
    return mode is None or (isinstance(mode, ast.Constant) and not set(str(mode.value)) & set("wax+"))


def _named_elsewhere(modules: list[Module]) -> set[str]:
    """Names of files that go into calls other than those that read them."""
    names: set[str] = set()
    for module in modules:
        for call, _ in module.does.calls:
            name = module.dotted(call.func) or ""
            if name in _NAMING or _LOGGING.fullmatch(name):
                continue
            nodes = [*call.args, *(each.value for each in call.keywords)]
            if isinstance(call.func, ast.Attribute):
                nodes.append(call.func.value)
            read = _read_path(module, call)
            for node in nodes:
                text = module.text(node)
                if text and text != read:
                    names.add(posixpath.basename(text))
    return names


def _is_there(place: str, contents: Contents) -> bool:
    """Whether a path leads to something, or to a place where there may be anything."""
    if not place or place in contents.files or place in contents.folders:
        return True
    if place.startswith("/"):
        return place.startswith(_SYSTEM)
    return place.partition("/")[0] in {"data", "submission"} or "\0" in place


class _Packed:
    """The packed files by what a wrong name may have in common with them."""

    def __init__(self, contents: Contents) -> None:
        self.by_base: dict[str, str] = {}
        self.by_suffix: dict[str, list[str]] = {}
        for name in contents.files:
            base = name.rpartition("/")[2]
            self.by_base.setdefault(base, name)
            alike = self.by_suffix.setdefault(posixpath.splitext(base)[1], [])
            if len(alike) < _COMPARED:
                alike.append(name)

    def hint(self, place: str) -> str:
        """What to do about a file that isn't there."""
        base = posixpath.basename(place)
        if base in self.by_base:
            return f"{self.by_base[base]} is packed: open that, relative to main.py"
        alike = self.by_suffix.get(posixpath.splitext(base)[1], [])
        if close := get_close_matches(place, alike, n=1, cutoff=0.75):
            return f"did you mean {close[0]}?"
        return "pack it, and name it relative to main.py; in a run there is only the submission, and ./data"


def unused_files(modules: Iterable[Module], contents: Contents) -> Iterator[Finding]:
    """Big files that no text in the code could mean."""
    big = [file for file in contents.files.values() if file.size_bytes > BIG_BYTES]
    if not big:
        return
    texts = {node.value for module in modules for node in module.does.strings}
    parts = {part for text in texts for part in text.replace("\\", "/").split("/") if part}
    configured = _configurations(contents)
    for file in big[:_MOST_BIG]:
        base = posixpath.basename(file.name)
        if _may_mean(file.name, parts) or base.encode() in configured:
            continue
        yield Finding(
            "unused_file",
            f"{show_size(file.size_bytes)} that the code never names",
            "leave it out if it isn't needed: the zip gets smaller (.whaledoignore)",
            file=file.name,
        )


def _may_mean(name: str, parts: set[str]) -> bool:
    folders, base = name.split("/")[:-1], posixpath.basename(name)
    stem, suffix = posixpath.splitext(base)
    if {base, stem, suffix, suffix[1:], *folders} & parts:
        return True
    return any(
        (len(part) > 3 and part in base) or ("*" in part and fnmatch.fnmatchcase(base, part))
        for part in parts
    )


def _configurations(contents: Contents) -> bytes:
    """The small text files that may name what is to be loaded, all in one."""
    small = [
        file.name
        for file in contents.files.values()
        if file.name.endswith(_CONFIGURATION) and file.size_bytes <= _CONFIGURATION_BYTES
    ]
    return b"\n".join(contents.read(name, _CONFIGURATION_BYTES) for name in small[:_CONFIGURATIONS])


def _shown(path: str) -> str:
    return repr(path if len(path) <= 100 else f"{path[:99]}…")
