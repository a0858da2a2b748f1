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

_FRAME = re.compile(r'^  File "(?:/code_execution/)?([^"]+)", line (\d+)', re.MULTILINE)
_ERROR = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")
_ONCE = "Traceback (most recent call last):"


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
    text = tail.decode(errors="replace")
    start = text.rfind(_ONCE)
    if start < 0 and "SyntaxError" not in text:
        return None
    report = text[max(start, 0) :]
    kind = said = None
    for line in report.splitlines()[1 if start >= 0 else 0 :]:
        match = _ERROR.match(line)
        if match and match[1][:1].isalpha() and _is_exception(match[1]):
            kind, said = match[1].rpartition(".")[2], match[2] or ""
            break
    if kind is None:
        return None
    own = [(file, int(line)) for file, line in _FRAME.findall(report) if not file.startswith(("/", "<"))]
    file, number = own[-1] if own else (None, None)
    return Failure(kind, (said or "")[:500], file, number)


def _is_exception(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() and (
        last.endswith(("Error", "Exception", "Exit", "Interrupt", "Warning", "Expired", "Iteration"))
        or "." in name
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """What must be known about a run to explain its failure.

    Attributes:
        profile: name of the environment.
        hidden_columns: columns of metadata.csv that the run didn't see.
        hidden_files: files of the data folder that the run didn't see.
    """

    profile: str
    hidden_columns: Collection[str]
    hidden_files: Collection[str]


def explain(failure: Failure, setting: Setting) -> str:
    """What to do about a failure; empty where the traceback says it all."""
    text = failure.text
    quoted = set(re.findall(r"['\"]([^'\"]*)['\"]", text))
    if hidden := sorted(quoted & set(setting.hidden_columns)):
        return (
            f"the runtime's metadata.csv has no column `{hidden[0]}`: identities are what you are asked for, so "
            f"a run never sees them (--show-identities shows the whole folder, for debugging only)"
        )
    if failure.kind == "FileNotFoundError":
        if hidden := [name for name in setting.hidden_files if name.rpartition("/")[2] in text]:
            return f"`{hidden[0]}` is not there in the official runtime, so a run never sees it"
        return (
            "inside a run there is only your zip in /code_execution, the challenge in ./data, and nothing else: "
            "pack the file, and name it relative to main.py"
        )
    if failure.kind in ("gaierror", "URLError", "ConnectionError", "MaxRetryError", "ConnectTimeout"):
        return "a run has no network: download before packing, and load from a file beside main.py"
    if "unreachable" in text or "name resolution" in text or "Name or service" in text:
        return "a run has no network: download before packing, and load from a file beside main.py"
    if "CUDA" in text or "NVIDIA" in text:
        return "this run has no GPU: choose the device with torch.cuda.is_available()"
    if failure.kind == "MemoryError" or "Unable to allocate" in text:
        return "one allocation was larger than what is left: use smaller batches, or a larger --memory"
    if (failure.kind == "PermissionError" and "Read-only" in text) or "Read-only file system" in text:
        return "./data is read-only: write to ./submission, to the working directory or to /tmp"
    return ""
