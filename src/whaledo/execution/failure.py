"""What the last lines of a log say about why Python gave up.

A log is written by the submission and proves nothing; counters do. But most failures are honest, and their
traceback names the file, the line and the reason. What is read here is used to explain, never to accuse: every
verdict that rests on it is marked as inferred.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

TAIL_BYTES = 64 * 1024

_HEADER = re.compile(
    r"^(Exception ignored in: .*\n)?.*Traceback \(most recent call last\):\n(?=  File )", re.MULTILINE
)
_FRAME = re.compile(r'^  File "(?:/code_execution/)?([^"]+)", line (\d+)', re.MULTILINE)
_UNINDENTED = re.compile(r"^[^ \n].*$", re.MULTILINE)
_ERROR = re.compile(r"(?:[\w<>]+\.)*(\w+)(?:: (.*))?")
_MARGIN = re.compile(r"^ *(?:\| |\+ |\+-.*)", re.MULTILINE)
"""What stands before the lines of an exception group."""

_SYNTAX = re.compile(
    r'(?:^  File "[^"]+", line \d+\n(?: .*\n){0,2}|\A)(?=(?:Syntax|Indentation|Tab)Error: )', re.MULTILINE
)
"""The report of a main.py that isn't Python; it has no header, because nothing ran."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The exception that ended `main.py`, as its traceback tells it.

    Attributes:
        kind: name of the exception, without its module.
        text: what it says; the first line.
        file: the submission's own file that the innermost of its frames is in; None where there is none.
        line: the line of that frame.
    """

    kind: str
    text: str
    file: str | None
    line: int | None

    def __str__(self) -> str:
        said = f"{self.kind}: {self.text}" if self.text else self.kind
        return f"{said} ({self.file}, line {self.line})" if self.file else said


def read_failure(tail: bytes) -> Failure | None:
    """Find the last traceback (or syntax error) in the end of a log."""
    text = _MARGIN.sub("", tail.decode(errors="replace"))
    headers = [header for header in _HEADER.finditer(text) if not header[1]]
    header = headers[-1] if headers else _SYNTAX.search(text)
    end = _UNINDENTED.search(text, header.end()) if header else None
    error = _ERROR.fullmatch(end[0]) if end else None
    if header is None or end is None or error is None:
        return None
    frames = _FRAME.findall(text, header.start(), end.start())
    own = [(file, int(line)) for file, line in frames if not file.startswith(("/", "<"))]
    file, number = own[-1] if own else (None, None)
    return Failure(error[1], (error[2] or "")[:500], file, number)


@dataclass(frozen=True, slots=True)
class Setting:
    """What must be known about a run to explain its failure.

    Attributes:
        profile: name of the environment.
        hidden_columns: columns of metadata.csv that the run didn't see.
        hidden_files: files of the data folder that the run didn't see; folders end with `/`.
        offline: whether it had no network.
    """

    profile: str
    hidden_columns: Collection[str]
    hidden_files: Collection[str]
    offline: bool


_NETWORK_KINDS = (
    "gaierror",
    "URLError",
    "ConnectionError",
    "ConnectError",
    "MaxRetryError",
    "ConnectTimeout",
)
_NETWORK_WORDS = ("unreachable", "name resolution", "Name or service", "connect to 'https://")
_GPU_WORDS = ("CUDA", "NVIDIA")
_MEMORY_WORDS = ("Unable to allocate", "can't allocate memory", "Cannot allocate memory")


def explain(failure: Failure, setting: Setting) -> str:
    """What to do about a failure; empty where the traceback says it all."""
    text = failure.text
    if hidden := [name for name in setting.hidden_columns if _quotes(text, name)]:
        return (
            f"the runtime's metadata.csv has no column `{hidden[0]}`: identities are what you are asked for, so "
            f"a run never sees them (--show-identities shows the whole folder, for debugging only)"
        )
    if failure.kind == "FileNotFoundError":
        if hidden := [name for name in setting.hidden_files if _quotes(text, name.removesuffix("/"))]:
            return f"`{hidden[0]}` is not there in the official runtime, so a run never sees it"
        return (
            "inside a run there is only your zip in /code_execution, the challenge in ./data, and nothing else: "
            "pack the file, and name it relative to main.py"
        )
    if setting.offline and (failure.kind in _NETWORK_KINDS or _has(text, _NETWORK_WORDS)):
        return "a run has no network: download before packing, and load from a file beside main.py"
    if _has(text, _GPU_WORDS) and "out of memory" not in text:
        return "this run has no GPU: choose the device with torch.cuda.is_available()"
    if failure.kind == "MemoryError" or _has(text, _MEMORY_WORDS):
        return "one allocation was larger than what is left: use smaller batches, or a larger --memory"
    if "shared memory" in text:
        return "shared memory was full: use fewer workers, or a larger --shm-size"
    if "Read-only file system" in text:
        return "./data is read-only: write to ./submission, to the working directory or to /tmp"
    return ""


def _quotes(text: str, name: str) -> bool:
    """Whether a text quotes a name, by itself or as a part of a path."""
    return re.search(rf"['\"/]{re.escape(name)}['\"/]", text) is not None


def _has(text: str, words: Collection[str]) -> bool:
    return any(word in text for word in words)
