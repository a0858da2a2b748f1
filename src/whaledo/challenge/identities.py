"""Which animal an image shows, and the labels that follow from it.

Only metadata.csv tells. A label pairs a query with a database image of the same animal; the query image itself is
no answer, even where it stands in its own database. An empty identity means that nobody knows the animal: it
matches nothing, not even another unknown one.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from whaledo.errors import BadData

if TYPE_CHECKING:
    from whaledo.challenge.model import Challenge


def identities(challenge: Challenge) -> dict[str, str]:
    """Image id to the name of its animal, for the images whose animal is known.

    Raises:
        BadData: if metadata.csv has no identity column.
    """
    column = challenge.identity_column
    if column is None:
        wanted = " or ".join(challenge.settings.identity_columns)
        raise BadData(
            f"{challenge.folder / 'metadata.csv'} doesn't say which image shows which animal: "
            f"there is no column {wanted}",
            hint="give a labels file (query_id,database_image_id), or name the column in challenge.toml: "
            'identity_column = "..."',
        )
    return {
        image_id: identity
        for image_id, image in challenge.images.items()
        if (identity := image.fields[column])
    }


def identity_labels(challenge: Challenge) -> tuple[tuple[str, str], ...]:
    """The labels that follow from the identities: (query id, database image id), in the challenge's order.

    Raises:
        BadData: if metadata.csv has no identity column.
    """
    animals = identities(challenge)
    labels: list[tuple[str, str]] = []
    for scenario in challenge.scenarios:
        images_of: defaultdict[str, list[str]] = defaultdict(list)
        for image_id in scenario.database:
            if image_id in animals:
                images_of[animals[image_id]].append(image_id)
        for query in scenario.queries:
            matches = images_of.get(animals.get(query.image_id, ""), [])
            labels.extend((query.query_id, image_id) for image_id in matches if image_id != query.image_id)
    return tuple(labels)
