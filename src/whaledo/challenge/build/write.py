"""Write a planned challenge: the public part, the private one with all answers, and what competitors learn from.

All files have one time and stand in the order of their new ids, so that neither says when or in which order the
originals came. The private part is the same challenge with identities, so that a run on the public part can be
scored and reported on; its images are a link to the public ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from whaledo.archive.extraction import UNPACKED_TIME_S
from whaledo.challenge.build.convert import Converted
from whaledo.challenge.build.plan import Plan
from whaledo.challenge.build.records import DateDetail
from whaledo.challenge.build.table import Photograph
from whaledo.challenge.load import METADATA_FILE
from whaledo.challenge.model import Layout
from whaledo.challenge.settings import FILE as SETTINGS_FILE
from whaledo.challenge.truth import LABEL_COLUMNS
from whaledo.challenge.writing import write_scenarios, write_table

PUBLIC, PRIVATE, TRAINING = "public", "private", "training"
IMAGES = "images"
LABELS_FILE, SOURCES_FILE, RECORD_FILE = "labels.csv", "sources.csv", "build.json"

Row = Mapping[str, object]


def write_challenge(
    made: Path, plan: Plan, converted: Mapping[str, Converted], *, name: str | None, dates: DateDetail
) -> None:
    """Write everything but the images, which lie in `images/` of the parts already.

    Args:
        made: the folder of the three parts.
        plan: what to write.
        converted: new id to what its image became.
        name: of the challenge.
        dates: how much of them the public part tells.
    """
    (made / PRIVATE).mkdir(mode=0o700)
    ids = {id(one): new_id for part in (plan.public, plan.training) for new_id, one in part.items()}
    seen = {new_id: _seen(new_id, plan.public[new_id], converted[new_id], dates) for new_id in plan.public}
    known = [
        {**row, "identity": plan.public[new_id].identity, "encounter_id": plan.public[new_id].encounter or ""}
        for new_id, row in seen.items()
    ]
    _write_rows(made / PUBLIC / METADATA_FILE, [*seen.values()])
    _write_rows(made / PRIVATE / METADATA_FILE, known, always=("identity",))
    layout = Layout.A if plan.scenarios[0].database_path.endswith(".txt") else Layout.B
    for part in (PUBLIC, PRIVATE):
        write_scenarios(made / part, plan.scenarios, layout)
        if name is not None:
            text = f"name = {json.dumps(name, ensure_ascii=False)}\n"
            (made / part / SETTINGS_FILE).write_text(text, encoding="utf-8")
    (made / PRIVATE / IMAGES).symlink_to(Path("..") / PUBLIC / IMAGES)
    labels = list(_labels(plan))
    write_table(made / PRIVATE, LABELS_FILE, LABEL_COLUMNS, labels)
    if plan.training:
        rows = [_learnt(new_id, one, converted[new_id], plan) for new_id, one in plan.training.items()]
        _write_rows(made / TRAINING / METADATA_FILE, rows, always=("identity",))
    sources = [_source(part, ids[id(one)], one, plan) for part, one in _everything(plan)]
    _write_rows(made / PRIVATE / SOURCES_FILE, sources, always=(*sources[0],))


def write_record(made: Path, document: Mapping[str, Any]) -> None:
    """Write how the challenge was built; it holds the seed, and so belongs to the private part."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (made / PRIVATE / RECORD_FILE).write_text(text, encoding="utf-8")


def finish(made: Path) -> None:
    """Give all files one time."""
    for path in sorted(made.rglob("*"), reverse=True):
        os.utime(path, (UNPACKED_TIME_S, UNPACKED_TIME_S), follow_symlinks=False)


def _everything(plan: Plan) -> Iterator[tuple[str, Photograph]]:
    yield from ((PUBLIC, one) for one in plan.public.values())
    yield from ((TRAINING, one) for one in plan.training.values())


def _seen(new_id: str, one: Photograph, image: Converted, dates: DateDetail) -> dict[str, object]:
    """A row of the public metadata.csv."""
    row = {"image_id": new_id, "path": f"{IMAGES}/{new_id}.jpg", "height": image.height, "width": image.width}
    when = "" if one.when is None else str(one.when)
    shown = {DateDetail.DAY: when, DateDetail.YEAR: when[:4], DateDetail.NONE: ""}[dates]
    return {**row, "viewpoint": one.viewpoint, "date": shown}


def _learnt(new_id: str, one: Photograph, image: Converted, plan: Plan) -> dict[str, object]:
    """A row of the training part's metadata.csv: everything is known, under names that mean nothing."""
    met = "" if one.encounter is None else plan.encounters[one.identity, one.encounter]
    row = _seen(new_id, one, image, DateDetail.DAY)
    return {**row, "identity": plan.animals[one.identity], "encounter_id": met}


def _source(part: str, new_id: str, one: Photograph, plan: Plan) -> dict[str, object]:
    """A row of the table that leads back to the originals."""
    return {
        "part": part,
        "image_id": new_id,
        "source_image_id": one.image_id,
        "source_path": one.path,
        "source_line": one.line,
        "source_box": "" if one.box is None else " ".join(f"{edge:g}" for edge in one.box),
        "identity": one.identity,
        "training_identity": plan.animals.get(one.identity, ""),
        "encounter_id": one.encounter or "",
    }


def _labels(plan: Plan) -> Iterator[tuple[str, str]]:
    for scenario in plan.scenarios:
        of_animal: dict[str, list[str]] = {}
        for image_id in scenario.database:
            of_animal.setdefault(plan.public[image_id].identity, []).append(image_id)
        for query in scenario.queries:
            for image_id in of_animal.get(plan.public[query.image_id].identity, ()):
                if image_id != query.image_id:
                    yield query.query_id, image_id


def _write_rows(path: Path, rows: Sequence[Row], always: Sequence[str] = ()) -> None:
    """Write rows as a table, without the columns that are empty throughout."""
    columns = [name for name in rows[0] if name in always or any(row[name] != "" for row in rows)]
    write_table(path.parent, path.name, columns, ([row[name] for name in columns] for row in rows))
