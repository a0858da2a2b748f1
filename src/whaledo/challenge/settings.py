"""Read challenge.toml, the optional file in which a challenge differs from the beluga challenge.

A key that means nothing and a value of the wrong kind are problems, never ignored: a misspelt `public_columns`
would show submissions what was meant to be hidden from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from whaledo.challenge.model import Settings
from whaledo.challenge.problems import nearest, problem
from whaledo.challenge.tables import read_text
from whaledo.errors import Problems

FILE = "challenge.toml"

NEEDED_COLUMNS = ("image_id", "path")
"""The columns of metadata.csv without which a submission can't open an image."""


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("it must be a line of text in quotes")
    return value.strip()


def _rows(value: Any) -> int:
    # In Python true is a number too.
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("it must be a whole number, 1 or more")
    return value


def _identity_columns(value: Any) -> tuple[str, ...]:
    return (_name(value),)


def _public_columns(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError("it must be a list of column names in quotes")
    if absent := [name for name in NEEDED_COLUMNS if name not in value]:
        raise ValueError(f"submissions need {' and '.join(absent)} too")
    if len(set(value)) < len(value):
        raise ValueError("a column stands in it twice")
    return tuple(value)


KEYS: Mapping[str, tuple[str, Callable[[Any], Any], str]] = {
    "name": ("name", _name, '"Find the beluga"'),
    "rows_per_query": ("rows_per_query", _rows, "20"),
    "identity_column": ("identity_columns", _identity_columns, '"whale_id"'),
    "public_columns": ("public_columns", _public_columns, '["image_id", "path", "viewpoint", "date"]'),
}
"""Each key of challenge.toml: the setting that it sets, what reads its value, and an example of one."""


def read_settings(folder: Path, problems: Problems) -> Settings:
    """What challenge.toml in the data folder says; the defaults where it isn't there or can't be used."""
    path = folder / FILE
    if not path.exists():
        return Settings()
    text = read_text(path, problems)
    if text is None:
        return Settings()
    # Imported late: it takes longer than the rest of the package, and most folders have no challenge.toml.
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = re.search(r" \(at line (\d+), column \d+\)$", said)
        line = int(place[1]) if place else None
        hint = "text stands in quotes, and a list in [ ]"
        problems.add(problem("bad_setting", f"it isn't TOML: {said}", hint=hint, file=path, line=line))
        return Settings()
    return _settings(values, path, text, problems)


def _settings(values: Mapping[str, Any], path: Path, text: str, problems: Problems) -> Settings:
    chosen: dict[str, Any] = {}
    for key, value in values.items():
        line = _line_of(key, text)
        if key not in KEYS:
            meant = nearest(key, KEYS)
            hint = f"rename it to {meant}" if meant else f"the keys are {', '.join(KEYS)}"
            said = f"there is no key {key!r}"
            problems.add(problem("unknown_setting", said, hint=hint, file=path, line=line))
            continue
        field, convert, example = KEYS[key]
        try:
            chosen[field] = convert(value)
        except ValueError as error:
            said = f"{key} = {value!r}: {error}"
            problems.add(
                problem("bad_setting", said, hint=f"such as {key} = {example}", file=path, line=line)
            )
    settings = Settings(**chosen)
    for name in set(settings.identity_columns) & set(settings.public_columns):
        said = f"public_columns shows submissions {name!r}, which names the animals"
        hint = "leave it out of public_columns, or set identity_column to another"
        line = _line_of("public_columns", text) or _line_of("identity_column", text)
        problems.add(problem("bad_setting", said, hint=hint, file=path, line=line))
    return settings


def _line_of(key: str, text: str) -> int | None:
    """The line that sets a top-level key, as far as it can be found without a parser."""
    pattern = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.split("\n"), 1) if pattern.match(line)), None)
