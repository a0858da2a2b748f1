"""What a zip never needs: rules built in, and those of the folder's own `.whaledoignore`.

Both are lines in gitignore's syntax, read as one file, so that a line like `!.vscode/` in `.whaledoignore`
brings back what is built in. Only things that no run can want are built in: a `.cache/` may hold the weights.
One `.whaledoignore` counts, that at the root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from whaledo.errors import BadSubmission, Problem, Problems

IGNORE_FILE = ".whaledoignore"

BUILT_IN: dict[str, tuple[str, ...]] = {
    "cache": (
        "__pycache__/",
        ".mypy_cache/",
        ".pytest_cache/",
        ".ruff_cache/",
        ".hypothesis/",
        ".tox/",
        ".nox/",
        ".ipynb_checkpoints/",
    ),
    "version control": (".git", ".hg/", ".svn/", ".bzr/", ".jj/", "CVS/", ".dvc/"),
    "editor": (
        ".idea/",
        ".vscode/",
        ".spyproject/",
        ".ropeproject/",
        "*.sublime-workspace",
        "*~",
        ".*.sw[a-p]",
        "[#]*[#]",
        ".[#]*",
    ),
    "operating system": (
        ".DS_Store",
        "._*",
        "__MACOSX",
        "Thumbs.db",
        "desktop.ini",
        "$RECYCLE.BIN/",
        ".Trash-*/",
        ".fuse_hidden*",
        ".nfs*",
    ),
    "only for packing": (f"/{IGNORE_FILE}",),
}
"""Why something is left out, and the lines that say what."""

VIRTUAL_ENVIRONMENTS = {"pyvenv.cfg": "virtual environment", "conda-meta": "conda environment"}
"""What a folder holds that is one of these: they only work where they were made."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All lines in order, and the reason that each stands for."""

    spec: GitIgnoreSpec
    reasons: tuple[str, ...]

    def reason(self, name: str, *, is_folder: bool) -> str | None:
        """Why the path `name`, relative to the root, is left out; None: it isn't."""
        result = self.spec.check_file(f"{name}/" if is_folder else name)
        return self.reasons[result.index] if result.include and result.index is not None else None


def read_rules(folder: Path) -> Rules:
    """The built-in lines, and then those of the folder's `.whaledoignore` if there is one.

    Raises:
        BadSubmission: `.whaledoignore` can't be read, or has lines that aren't patterns.
    """
    lines = [(line, reason) for reason, patterns in BUILT_IN.items() for line in patterns]
    lines += _own_lines(folder / IGNORE_FILE)
    spec = GitIgnoreSpec.from_lines(line for line, _ in lines)
    return Rules(spec, tuple(reason for _, reason in lines))


def _own_lines(path: Path) -> list[tuple[str, str]]:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise BadSubmission(
            f"{path} can't be read: {error}", hint="it has to be a text file in UTF-8"
        ) from None
    problems = Problems()
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        # Blank lines have no index among the patterns of a spec.
        if not line.strip():
            continue
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error):
            problems.add(Problem("pattern", f"`{line}` is not a pattern", file=str(path), line=number))
        lines.append((line, f"{IGNORE_FILE}:{number}"))
    if problems:
        hint = "write it as in a .gitignore: one pattern a line"
        raise BadSubmission(f"{path} has lines that aren't patterns", hint=hint, problems=problems)
    return lines
