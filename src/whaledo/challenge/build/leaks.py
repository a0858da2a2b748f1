"""Look for what gives answers away, in the files as they were written rather than as they were meant.

Some findings spoil a challenge (an animal in both parts); others a person has to judge: two photographs that look
alike may be a burst, one file twice, or simply two similar animals.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from whaledo.challenge.build.convert import Converted
from whaledo.challenge.build.nearness import alike, stacked
from whaledo.challenge.build.plan import Plan
from whaledo.challenge.build.records import LeakCheck
from whaledo.challenge.build.write import IMAGES, PRIVATE, PUBLIC, SOURCES_FILE, TRAINING
from whaledo.challenge.load import METADATA_FILE
from whaledo.challenge.rules import PUBLIC_COLUMNS

EXAMPLES = 5

OF_EVERY_JPEG = frozenset({0xE0})
"""The one application segment that is fine: JFIF, which says how large a pixel is."""

FREE_OF_NAMES = frozenset({"height", "width", "date", "viewpoint"})
"""Public columns whose values may well be the same as some animal's name."""


def find_leaks(made: Path, plan: Plan, converted: Mapping[str, Converted]) -> tuple[LeakCheck, ...]:
    """Look at a written challenge.

    Args:
        made: the folder of the three parts.
        plan: what was meant to be in them.
        converted: new id to what its image became.
    """
    with (made / PRIVATE / SOURCES_FILE).open(encoding="utf-8", newline="") as file:
        sources = list(csv.DictReader(file))
    return (
        _animals_in_both(sources),
        _identity_columns(made / PUBLIC),
        _identity_text(made / PUBLIC, sources),
        _metadata_in_images(made),
        _same_encounters(plan),
        *_alike_in_scenarios(plan, converted),
        _alike_across_parts(plan, converted),
    )


def _check(
    code: str, title: str, found: Iterable[str], hint: str, *, must_be_none: bool = False
) -> LeakCheck:
    cases = list(found)
    return LeakCheck(code, title, len(cases), must_be_none, tuple(cases[:EXAMPLES]), hint if cases else "")


def _animals_in_both(sources: Sequence[Mapping[str, str]]) -> LeakCheck:
    of_part = {
        part: {row["identity"] for row in sources if row["part"] == part} for part in (PUBLIC, TRAINING)
    }
    both = sorted(of_part[PUBLIC] & of_part[TRAINING])
    hint = "this is a fault of whaledo: please report it"
    return _check("animals_in_both_parts", "animals in both parts", both, hint, must_be_none=True)


def _identity_columns(public: Path) -> LeakCheck:
    with (public / METADATA_FILE).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    extra = [name for name in header if name not in PUBLIC_COLUMNS]
    hint = "this is a fault of whaledo: please report it"
    return _check("identity_columns", "columns that nobody may see", extra, hint, must_be_none=True)


def _identity_text(public: Path, sources: Sequence[Mapping[str, str]]) -> LeakCheck:
    """Names of animals and encounters as whole values, or between separators, of the public files."""
    secret = {row[name] for row in sources for name in ("identity", "encounter_id")} - {""}

    def found() -> Iterator[str]:
        for path in sorted(public.rglob("*")):
            place = path.relative_to(public)
            if path.suffix in {".csv", ".txt", ".toml"}:
                yield from (f"{value!r} in {place}" for value in sorted(secret & set(_words(path))))
            if path.stem in secret:
                yield f"the file {place}"

    hint = "a name of an animal may be a common word; otherwise rename the scenario or the challenge"
    return _check("identity_text", "names of animals in public text", found(), hint)


def _words(path: Path) -> Iterator[str]:
    """The values of a public file, and their parts."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    skipped = {place for place, name in enumerate(rows[0]) if name in FREE_OF_NAMES} if rows else set()
    for row in rows:
        for place, value in enumerate(row):
            if place not in skipped:
                yield from (value, *re.split(r"[\s\"'=/._-]+", value))


def _metadata_in_images(made: Path) -> LeakCheck:
    images = [path for part in (PUBLIC, TRAINING) for path in sorted((made / part / IMAGES).glob("*"))]
    found = [str(path.relative_to(made)) for path in images if other_segments(path.read_bytes())]
    hint = "this is a fault of whaledo: please report it"
    return _check("image_metadata", "images with EXIF or other metadata", found, hint, must_be_none=True)


def other_segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG's application and comment segments, JFIF's own left out."""
    found, place = [], 2
    while jpeg[place] == 0xFF and (marker := jpeg[place + 1]) != 0xDA:
        if (0xE0 <= marker <= 0xEF or marker == 0xFE) and marker not in OF_EVERY_JPEG:
            found.append(marker)
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
    return found


def _same_encounters(plan: Plan) -> LeakCheck:
    """Queries whose own encounter is in the database with another photograph."""

    def found() -> Iterator[str]:
        for scenario in plan.scenarios:
            stored: dict[tuple[str, str | None], list[str]] = {}
            for image_id in scenario.database:
                one = plan.public[image_id]
                stored.setdefault((one.identity, one.encounter), []).append(image_id)
            for query in scenario.queries:
                one = plan.public[query.image_id]
                its = stored.get((one.identity, one.encounter), []) if one.encounter else []
                if others := [image_id for image_id in its if image_id != query.image_id]:
                    yield f"{query.query_id} and {others[0]}"

    hint = (
        "such queries find the water and the light; other_encounter = true in the scenario keeps them apart"
    )
    return _check("same_encounter", "queries with their own encounter in the database", found(), hint)


def _alike_in_scenarios(plan: Plan, converted: Mapping[str, Converted]) -> tuple[LeakCheck, LeakCheck]:
    """Queries that look like a database image of the same animal, and of another."""
    same: dict[str, None] = {}
    other: dict[str, None] = {}
    for scenario in plan.scenarios:
        asking = [query.image_id for query in scenario.queries]
        for ours, theirs, bits in _pairs(asking, scenario.database, converted):
            if ours != theirs:
                kind = same if plan.public[ours].identity == plan.public[theirs].identity else other
                kind[f"{ours} and {theirs} ({bits} of 256 bits differ)"] = None
    return (
        _check(
            "alike_same_animal",
            "queries nearly identical to a database image of their animal",
            same,
            "any method finds these: is one file there twice, or a burst in two encounters?",
        ),
        _check(
            "alike_other_animal",
            "queries nearly identical to a database image of another animal",
            other,
            "look at both: one of the two identities may be wrong",
        ),
    )


def _alike_across_parts(plan: Plan, converted: Mapping[str, Converted]) -> LeakCheck:
    pairs = _pairs([*plan.public], [*plan.training], converted)
    found = [f"{ours} and {theirs} ({bits} of 256 bits differ)" for ours, theirs, bits in pairs]
    hint = "look at both: an animal with two names is in both parts"
    return _check("alike_across_parts", "public images nearly identical to a training image", found, hint)


def _pairs(
    ours: Sequence[str], theirs: Sequence[str], converted: Mapping[str, Converted]
) -> Iterator[tuple[str, str, int]]:
    if ours and theirs:
        sides = [stacked([converted[new_id].fingerprint for new_id in side]) for side in (ours, theirs)]
        for row, column, bits in alike(*sides):
            yield ours[row], theirs[column], bits
