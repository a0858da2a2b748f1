"""Read a table of identified photographs, as anyone's export has it.

A column plays a role (identity, path, date ...), by the names that wildlife-datasets and the beluga challenge give
it or by the name that a person gives. Further columns, such as an export's unnamed index, are ignored. Everything
is text: 007 is an animal's name. Whether the images are there and can be opened is for convert.py.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from whaledo.challenge.build.dates import When, read_dates
from whaledo.challenge.build.records import BoxFormat, BuildRequest
from whaledo.challenge.paths import fault_of_path
from whaledo.challenge.problems import counted, listed, nearest, shown
from whaledo.challenge.tables import Table, read_table, read_text
from whaledo.errors import BadData, Problem, Problems, Severity, UsageError

ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image_id": ("image_id",),
        "identity": ("identity", "whale_id"),
        "path": ("path",),
        "date": ("date",),
        "viewpoint": ("orientation", "viewpoint"),
        "encounter": ("encounter_id", "encounter"),
        "box": ("bbox",),
        "species": ("species",),
    }
)
"""What a column can be for, and the names it is known by; the first that is there is taken."""

NEEDED = ("image_id", "identity", "path")

ABSENT = frozenset({"", "nan", "none", "null", "na"})
"""How exports write, in lower case, that a photograph has no viewpoint, encounter, species or box."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the upright photograph."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A row of the table.

    Attributes:
        line: where it stands in the table.
        image_id: the table's id, which is never public.
        path: of the file, from the folder of images on, with forward slashes.
        identity: the animal.
        when: the date, as far as it is known.
        viewpoint: from where it was taken; empty: it isn't known.
        encounter: which meeting with this animal it belongs to; None: that isn't known.
        box: where the animal is in the photograph; None: it fills it.
    """

    line: int
    image_id: str
    path: str
    identity: str
    when: When | None
    viewpoint: str
    encounter: str | None
    box: Box | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A table that can be used.

    Attributes:
        photographs: of known animals, in the table's order.
        left_out: why rows of the table aren't among them, and how many.
        roles: the roles that have a column, with its name.
        problems: warnings.
    """

    photographs: tuple[Photograph, ...]
    left_out: Mapping[str, int]
    roles: Mapping[str, str]
    problems: Problems


def read_photographs(request: BuildRequest) -> Reading:
    """Read the table of a request.

    Raises:
        BadData: with every problem of the table at once.
        UsageError: if `columns` of the request names a role that there isn't.
    """
    path, problems = Path(request.table), Problems()
    roles = _find_roles(path, request.columns, problems)
    table = None
    if not problems.errors:
        required = [roles["image_id"], roles["path"]]
        table = read_table(path, problems, required=required, may_be_empty=[roles["identity"]])
    found: list[Photograph] = []
    left_out: Counter[str] = Counter()
    if table is not None:
        found = list(_photographs(table, roles, request, left_out, problems))
        found = _without_repeated(found, path, left_out, problems)
        _say_similar_identities(found, path, problems)
    if problems.errors:
        raise BadData(
            f"the table {path} can't be used: {counted(problems.errors, 'problem')}", problems=problems
        )
    if not found:
        why = ", ".join(f"{number:,} {reason}" for reason, number in left_out.items()) or "it has no rows"
        raise BadData(f"the table {path} has no photograph of a known animal: {why}")
    return Reading(tuple(found), left_out, roles, problems)


def _find_roles(path: Path, given: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """The column of each role that has one; adds what is wrong with the first line."""
    for role in given:
        if role not in ROLES:
            meant = nearest(role, ROLES)
            hint = f"write {meant}=NAME" if meant else f"the roles are {', '.join(ROLES)}"
            raise UsageError(f"there is no role {role!r} for a column", hint=hint)
    text = read_text(path, problems)
    if text is None:
        return {}
    try:
        header = next((row for row in csv.reader(io.StringIO(text, newline="")) if row), [])
    except csv.Error as error:
        problems.add(
            Problem("broken_quotes", f"the first line can't be read: {error}", file=str(path), line=1)
        )
        return {}
    if not header:
        hint = f"it starts with the names of its columns: {','.join(NEEDED)}"
        problems.add(Problem("empty_file", "the file is empty", hint, str(path)))
        return {}
    if len(header) == 1 and (mark := next((mark for mark in ";\t|" if mark in header[0]), None)):
        said = f"the columns are separated by {mark!r}, not by ','"
        problems.add(Problem("missing_column", said, "save it with commas", str(path), 1))
        return {}
    roles = {}
    for role, names in ROLES.items():
        wanted = (given[role],) if role in given else names
        name = next((name for name in wanted if name in header), None)
        if name is not None:
            roles[role] = name
        elif role in given or role in NEEDED:
            said = f"there is no column {' or '.join(map(repr, wanted))} for the {role}; there is {listed(header)}"
            meant = next((close for one in wanted if (close := nearest(one, header))), "NAME")
            hint = f"name the column that has it: --column {role}={meant}"
            problems.add(Problem("missing_column", said, hint, str(path), 1))
    return roles


def _photographs(
    table: Table,
    roles: Mapping[str, str],
    request: BuildRequest,
    left_out: Counter[str],
    problems: Problems,
) -> Iterator[Photograph]:
    column = {role: table.columns.index(name) for role, name in roles.items()}

    def values(role: str) -> list[str]:
        if role not in column:
            return [""] * len(table.rows)
        return [row[column[role]] for row in table.rows]

    kinds: dict[str, tuple[str, int]] = {}
    dates = read_dates(
        list(zip(table.lines, values("date"), strict=True)), request.date_order, table.path, problems
    )
    optional = [[_known(value) for value in values(role)] for role in ("viewpoint", "encounter", "species")]
    rows = zip(
        table.lines, *map(values, (*NEEDED, "box")), dates, *optional, strict=True
    )  # one loop over 100,000 rows
    for line, image_id, identity, path, box, when, viewpoint, encounter, species in rows:
        identity, path = identity.strip(), path.replace("\\", "/")
        read_box = _read_box(box, request.box_format, table.path, line, problems)
        if path and (fault := fault_of_path(path)) is not None:
            said = f"path {fault[1]}: {shown(path)}"
            hint = "write paths from the folder of images on, and name that folder with --images"
            problems.add(Problem("path_outside", said, hint, str(table.path), line))
        if request.species is not None and species != request.species:
            left_out["of other species"] += 1
        elif not identity or identity in request.unknown:
            left_out["of unknown animals"] += 1
        else:
            first, before = kinds.setdefault(identity, (species, line))
            if first != species:
                said = f"{shown(identity)} is a {shown(species)} here, and a {shown(first)} in line {before}"
                hint = "give each its own name, or take one species: --species"
                problems.add(Problem("two_species", said, hint, str(table.path), line))
            met = _encounter(encounter, when)
            path = PurePosixPath(path).as_posix()
            yield Photograph(line, image_id, path, identity, when, viewpoint, met, read_box)


def _known(value: str) -> str:
    value = value.strip()
    return "" if value.lower() in ABSENT else value


def _encounter(written: str, when: When | None) -> str | None:
    """The encounter's name; without one, photographs of an animal on one day are one encounter."""
    if written:
        return written
    return str(when) if when is not None and when.day else None


def _read_box(text: str, form: BoxFormat, file: Path, line: int, problems: Problems) -> Box | None:
    """The box that a text such as `[10.0, 20.0, 300.0, 120.0]` gives."""
    if not _known(text):
        return None
    numbers = re.split(r"[\s,;]+", text.strip().strip("[]()").strip())
    example = "left, top, width, height" if form is BoxFormat.XYWH else "left, top, right, bottom"
    try:
        a, b, c, d = map(float, numbers)
    except ValueError:
        said = f"the box {shown(text)} isn't four numbers"
        problems.add(Problem("bad_box", said, f"write [{example}]", str(file), line))
        return None
    box = (a, b, a + c, b + d) if form is BoxFormat.XYWH else (a, b, c, d)
    if not (box[2] - box[0] >= 1 and box[3] - box[1] >= 1 and max(map(abs, box)) < 1e6):
        said = f"the box {shown(text)}, read as {example}, holds no pixel"
        hint = "boxes are in pixels; --box xyxy where they give the right and bottom edge"
        problems.add(Problem("bad_box", said, hint, str(file), line))
        return None
    return box


def _without_repeated(
    found: Sequence[Photograph], file: Path, left_out: Counter[str], problems: Problems
) -> list[Photograph]:
    """The photographs without those that stand twice in the table; adds ids and animals that contradict."""
    by_id: dict[str, Photograph] = {}
    by_view: dict[tuple[str, Box | None], Photograph] = {}
    kept = []
    for one in found:
        first = by_id.setdefault(one.image_id, one)
        if first is not one:
            said = f"image {shown(one.image_id)} stands in line {first.line} already"
            problems.add(
                Problem("repeated_image_id", said, "give each row an id of its own", str(file), one.line)
            )
            continue
        first = by_view.setdefault((one.path, one.box), one)
        if first is one:
            kept.append(one)
        elif first.identity == one.identity:
            left_out["that stand twice in the table"] += 1
        else:
            where = "the same box of the same file" if one.box else "the same whole file"
            said = (
                f"{where} shows {shown(first.identity)} in line {first.line} and {shown(one.identity)} here"
            )
            hint = "keep the right one, or give each animal its box"
            problems.add(Problem("two_identities", said, hint, str(file), one.line))
    return kept


def _say_similar_identities(found: Sequence[Photograph], file: Path, problems: Problems) -> None:
    """Warn of animals whose names differ only in what people mistype: one animal may be in both parts then."""
    names: dict[str, Photograph] = {}
    for one in {one.identity: one for one in reversed(found)}.values():
        folded = re.sub(r"\b0+(?=\d)", "", re.sub(r"[\s_-]+", " ", one.identity.casefold()))
        other = names.setdefault(folded, one)
        if other is not one:
            said = f"{shown(other.identity)} and {shown(one.identity)} are two animals here"
            hint = "give both one name if they are the same"
            problems.add(Problem("similar_identities", said, hint, str(file), one.line, Severity.WARNING))
