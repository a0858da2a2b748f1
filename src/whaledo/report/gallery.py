"""Every query with its ranked candidates, as the page's script reads them: columns of small numbers.

4,419 queries of 20 rows are 88,000 candidates, so each photograph is named once and pointed to by number, and
what is right is one digit a row. Which query comes first, and what is shown of it, is the script's business.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whaledo.challenge.columns import ids_of
from whaledo.challenge.identities import identities
from whaledo.challenge.model import Challenge, Query
from whaledo.challenge.truth import Labels
from whaledo.report.answers import Answers
from whaledo.report.text import short
from whaledo.scoring.breakdown import DATE, VIEWPOINT
from whaledo.scoring.evaluate import Judged

MOST_MISSED = 8
"""So many right answers that weren't found are shown for a query."""

RIGHT, TIED = 1, 2
"""A candidate's digit is the sum of these: it is right; its score is the next one's too."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The ranked answers to one query, best first.

    Attributes:
        images: their image ids.
        scores: their scores.
        marks: a digit each, see `RIGHT` and `TIED`.
    """

    images: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """All queries, and the photographs that are seen with them.

    Attributes:
        images: the ids of these photographs; the document points to them by place.
        document: what the script reads, without the thumbnails.
    """

    images: tuple[str, ...]
    document: Mapping[str, Any]

    def photographs(self, challenge: Challenge) -> list[Path]:
        """The files of the photographs, in their order."""
        return [challenge.folder / challenge.images[image].path for image in self.images]


def build_gallery(challenge: Challenge, answers: Sequence[Answers], labels: Labels | None) -> Gallery:
    """Collect what is shown of each query, in the challenge's order.

    Args:
        challenge: the data folder.
        answers: those of one submission, or of two that are compared.
        labels: the right answers; None where nothing says what is right.
    """
    queries = [query for scenario in challenge.scenarios for query in scenario.queries]
    sides = [ranked(each) for each in answers]
    judged = [each.judged for each in answers if each.judged]
    missed, unfound = missed_answers(judged, labels) if labels else ({}, Counter())
    images = _seen(queries, sides, missed)
    place = {image: number for number, image in enumerate(images)}
    sizes = [len(scenario.queries) for scenario in challenge.scenarios]
    document = {
        "judged": bool(judged),
        "rows": challenge.settings.rows_per_query,
        "scenarios": [short(scenario.scenario_id) for scenario in challenge.scenarios],
        "images": _images_document(challenge, images),
        "queries": {
            "id": [short(query.query_id) for query in queries],
            "image": [place[query.image_id] for query in queries],
            "scenario": np.repeat(np.arange(len(sizes)), sizes).tolist(),
            "missed": [[place[image] for image in missed.get(query.query_id, ())] for query in queries],
            "unfound": [unfound[query.query_id] for query in queries],
        },
        "sides": [
            _side_document(queries, side, each.judged, place)
            for side, each in zip(sides, answers, strict=True)
        ],
    }
    return Gallery(tuple(images), document)


def ranked(answers: Answers) -> dict[str, Candidates]:
    """The candidates of each query that has any: by falling score, equal ones in the order of the file."""
    rankings, judged = answers.rankings, answers.judged
    order = np.lexsort((-rankings.scores, rankings.queries.codes))
    codes, scores = rankings.queries.codes[order], rankings.scores[order]
    tied = np.append((np.diff(scores) == 0) & (np.diff(codes) == 0), False)
    right = judged.joined.row_label[order] >= 0 if judged else np.zeros(len(order), np.bool_)
    marks = "".join(map(str, (RIGHT * right + TIED * tied).tolist()))
    names = rankings.images.distinct()
    images = [names[code] for code in rankings.images.codes[order].tolist()]
    ends = np.cumsum(np.bincount(codes, minlength=len(rankings.queries.names))).tolist()
    starts = [0, *ends[:-1]]
    return {
        query_id: Candidates(tuple(images[start:end]), tuple(scores[start:end].tolist()), marks[start:end])
        for query_id, start, end in zip(rankings.queries.distinct(), starts, ends, strict=True)
    }


def missed_answers(judged: Sequence[Judged], labels: Labels) -> tuple[dict[str, list[str]], Counter[str]]:
    """The right answers that none of the submissions found.

    Returns:
        Of each query, `MOST_MISSED` of their images at most; and how many there are.
    """
    is_missed = np.ones(len(labels.queries), np.bool_)
    for each in judged:
        found = each.joined.row_label
        is_missed[found[found >= 0]] = False
    missed: defaultdict[str, list[str]] = defaultdict(list)
    unfound: Counter[str] = Counter()
    for label in np.flatnonzero(is_missed).tolist():
        query = labels.queries.text(label)
        unfound[query] += 1
        if len(missed[query]) < MOST_MISSED:
            missed[query].append(labels.images.text(label))
    return missed, unfound


def _seen(
    queries: Sequence[Query], sides: Sequence[Mapping[str, Candidates]], missed: Mapping[str, Iterable[str]]
) -> list[str]:
    """Every photograph that is seen somewhere, once each."""
    seen = dict.fromkeys(query.image_id for query in queries)
    for side in sides:
        for candidates in side.values():
            seen.update(dict.fromkeys(candidates.images))
    for images in missed.values():
        seen.update(dict.fromkeys(images))
    return list(seen)


def _images_document(challenge: Challenge, images: Sequence[str]) -> dict[str, Any]:
    """What is said of each photograph; of text that repeats, each is said once and pointed to."""
    animals = identities(challenge) if challenge.identity_column else {}
    rows = [challenge.images[image].fields for image in images]
    columns = {
        "animal": [animals.get(image, "") for image in images],
        "viewpoint": [row.get(VIEWPOINT, "") for row in rows],
        "date": [row.get(DATE, "") for row in rows],
    }
    document: dict[str, Any] = {"id": [short(image) for image in images]}
    for name, texts in columns.items():
        ids = ids_of(texts)
        document[name] = {"names": [short(text) for text in ids.distinct()], "codes": ids.codes.tolist()}
    return document


def _side_document(
    queries: Sequence[Query], side: Mapping[str, Candidates], judged: Judged | None, place: Mapping[str, int]
) -> dict[str, Any]:
    none = Candidates()
    candidates = [side.get(query.query_id, none) for query in queries]
    document: dict[str, Any] = {
        "images": [[place[image] for image in each.images] for each in candidates],
        "scores": [[float(f"{score:.6g}") for score in each.scores] for each in candidates],
        "marks": [each.marks for each in candidates],
    }
    if judged is None:
        return document
    evaluation = judged.evaluation
    number = {query_id: at for at, query_id in enumerate(evaluation.query_ids)}
    at = [number.get(query.query_id) for query in queries]
    values = evaluation.average_precision.round(6).tolist()
    scored = evaluation.relevant.tolist()
    document["precision"] = [values[n] if n is not None and scored[n] else None for n in at]
    for name, column in (
        ("relevant", evaluation.relevant),
        ("hits", evaluation.hits),
        ("first", evaluation.first_hit),
    ):
        listed = column.tolist()
        document[name] = [0 if n is None else listed[n] for n in at]
    return document
