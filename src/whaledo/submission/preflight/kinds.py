"""What the preflight can find: every kind with its severity and the reason for it.

One rule decides between the two: an error is what fails whenever main.py is started. So it has to stand where the
code surely passes (see `certainty`), and has to fail there whatever the data holds. The same thing anywhere else
(in a function that may never be called, under an `if`, in a `try` that catches it) is a warning, because winners'
code is full of training leftovers that never run. docs/preflight.md prints the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whaledo.errors import Problem, Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    Attributes:
        meaning: what was found.
        severity: where the code surely passes; anywhere else it is a warning.
        reason: why it is that severe.
    """

    meaning: str
    severity: Severity
    reason: str


_E, _W = Severity.ERROR, Severity.WARNING

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "no_main": Kind("no `main.py` at the root", _E, "a run starts `main.py` and nothing else"),
        "syntax_error": Kind("a module isn't Python 3.11", _E, "importing it raises"),
        "missing_import": Kind("a module is neither packed nor in the profile", _E, "importing it raises"),
        "relative_import": Kind(
            "`from . import` in `main.py`", _E, "`main.py` is started as a program, so it is in no package"
        ),
        "download": Kind("a call fetches something from the network", _E, "a run has no network"),
        "missing_file": Kind("a file is opened by a name that isn't packed", _E, "opening it raises"),
        "input": Kind("`input()` waits for somebody to type", _E, "nobody is there"),
        "pip_install": Kind(
            "the code installs packages", _W, "it can't, but the code may go on without what it asked for"
        ),
        "hidden_data": Kind(
            "the code reads identities or labels from the challenge's data",
            _W,
            "a run doesn't see them, but the table may be the submission's own",
        ),
        "gpu_only": Kind(
            "tensors move to a GPU without asking whether there is one, on a profile without",
            _W,
            "it raises there, but the same zip is fine on `gpu`",
        ),
        "own_path": Kind(
            "a path of somebody's own machine, of Kaggle or of Colab",
            _W,
            "it isn't there in a run, but nothing may use it",
        ),
        "unreached_import": Kind(
            "a module that `main.py` doesn't import imports what isn't there",
            _W,
            "it most likely never runs",
        ),
        "unused_file": Kind(
            "a file over 50 MiB is never named in the code", _W, "its name may be put together from parts"
        ),
        "large_zip": Kind("the zip is over 8 GiB", _W, "it takes long to upload and to unpack"),
        "not_read": Kind(
            "a module is too long, too deeply nested, or one too many to be read", _W, "it may be fine"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: a key of `KINDS`.
        message: what is wrong, with the value.
        hint: what to do about it.
        file: the module, or the file that it is about; None: the submission as a whole.
        line: 1-based; None where no line is at fault.
        last_line: where the statement ends; a comment that silences it may stand there too.
        sure: whether the code surely passes there.
    """

    kind: str
    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    last_line: int | None = None
    sure: bool = True

    def problem(self) -> Problem:
        """The finding as a problem with the severity that the table gives it."""
        severity = KINDS[self.kind].severity if self.sure else Severity.WARNING
        return Problem(self.kind, self.message, self.hint, self.file, self.line, severity)
