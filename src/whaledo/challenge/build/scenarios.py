"""Choose the queries and the database of one scenario: pure, on the photographs of the public part.

Where an animal must be found in another encounter, its latest encounter asks and leaves the database, as when a
biologist comes home and looks for the day's animals among those of before. Where the two filters already keep
encounters apart (another year, say) all of them ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whaledo.challenge.build.chance import shuffled
from whaledo.challenge.build.dates import When
from whaledo.challenge.build.rules import Rule
from whaledo.challenge.build.table import Photograph

ByAnimal = Mapping[str, Sequence[Photograph]]


@dataclass(frozen=True, slots=True)
class Choice:
    """The photographs of a scenario, in no order that means anything.

    Attributes:
        matched: queries whose animal is in the database.
        new: queries whose animal isn't.
        database: the photographs to look in.
    """

    matched: tuple[Photograph, ...]
    new: tuple[Photograph, ...]
    database: tuple[Photograph, ...]


def choose(rule: Rule, photographs: Sequence[Photograph], season_starts_in: int, seed: int) -> Choice:
    """The queries and the database that a rule makes of the photographs of the public part."""
    asking = [one for one in photographs if rule.query.passes(one, season_starts_in)]
    pool = [one for one in photographs if rule.database.passes(one, season_starts_in)]
    pool_of = _by_animal(pool)
    matched: list[Photograph] = []
    unmatched: list[Photograph] = []
    leaving: set[str] = set()
    for animal, its in _by_animal(asking).items():
        there = pool_of.get(animal, ())
        if not rule.other_encounter:
            for one in its:
                (unmatched if all(other is one for other in there) else matched).append(one)
        elif asks := _asking_encounter(its, there):
            # Nobody knows whether a photograph of no known encounter is of this one.
            met = {None, *(one.encounter for one in asks)}
            found = any(one.encounter not in met for one in there)
            leaving.update(one.image_id for one in there if found and one.encounter in met)
            (matched if found else unmatched).extend(asks)
    matched, new = _thinned(rule, matched, unmatched, seed)
    strangers = {one.identity for one in new} if rule.other_encounter else set()
    database = [one for one in pool if one.image_id not in leaving and one.identity not in strangers]
    return Choice(tuple(matched), tuple(new), tuple(database))


def _by_animal(photographs: Sequence[Photograph]) -> dict[str, list[Photograph]]:
    found: defaultdict[str, list[Photograph]] = defaultdict(list)
    for one in photographs:
        found[one.identity].append(one)
    return dict(found)


def _asking_encounter(its: Sequence[Photograph], there: Sequence[Photograph]) -> list[Photograph]:
    """The photographs of one animal that ask: those of its latest encounter, or all if none is stored."""
    known = [one for one in its if one.encounter is not None]
    if {one.encounter for one in known}.isdisjoint(one.encounter for one in there):
        return known
    latest = max(known, key=lambda one: (one.when or When(0), one.encounter or "")).encounter
    return [one for one in known if one.encounter == latest]


def _thinned(
    rule: Rule, matched: Sequence[Photograph], unmatched: Sequence[Photograph], seed: int
) -> tuple[list[Photograph], list[Photograph]]:
    """At most `most_queries`, of which at most the stated share has no match."""
    matched = shuffled(seed, f"queries of {rule.name}", matched, lambda one: one.image_id)
    unmatched = shuffled(seed, f"new in {rule.name}", unmatched, lambda one: one.image_id)
    share = rule.new_individuals
    room = int(len(matched) * share / (1 - share) + 1e-9)
    new = unmatched[: min(room, int(rule.most_queries * share))]
    return list(matched[: rule.most_queries - len(new)]), list(new)
