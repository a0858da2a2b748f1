"""Make a table of identified photographs from the COCO annotations in which the belugas are published.

The table is what `whaledo data build` reads. The form of the annotations is that of the Wild Me data sets at LILA:
an annotation has the animal's `name` and its `viewpoint`, an image its `date_captured`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TABLE = "table.csv"
COLUMNS = ("image_id", "identity", "path", "date", "orientation", "encounter_id", "bbox", "species")
UNNAMED = frozenset({"", "____"})
"""How these data sets write that nobody knows the animal."""


def write_table(folder: Path) -> int | None:
    """Write table.csv into an unpacked data set.

    Returns:
        The number of rows; None: there are no annotations of this form, and so no table.
    """
    rows: list[Mapping[str, object]] = []
    for path in sorted(folder.glob("**/annotations/instances_*.json")):
        try:
            rows += _rows(path, folder)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
    if not rows:
        return None
    columns = [name for name in COLUMNS if any(row[name] for row in rows)]
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def _rows(path: Path, folder: Path) -> Iterator[dict[str, object]]:
    document: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    images = {image["id"]: image for image in document["images"]}
    species = {category["id"]: category["name"] for category in document.get("categories", ())}
    place = path.parents[1] / "images" / path.stem.removeprefix("instances_")
    for annotation in document["annotations"]:
        image = images[annotation["image_id"]]
        name = str(annotation["name"])
        date = str(image.get("date_captured") or "")
        yield {
            "image_id": annotation["id"],
            "identity": "unknown" if name in UNNAMED else name,
            "path": (place / image["file_name"]).relative_to(folder).as_posix(),
            "date": "" if date == "NA" else date,
            "orientation": annotation.get("viewpoint") or "",
            "encounter_id": annotation.get("encounter_id") or image.get("encounter_id") or "",
            "bbox": json.dumps(annotation["bbox"]) if annotation.get("bbox") else "",
            "species": species.get(annotation.get("category_id"), ""),
        }
