"""Which photographs ask and which answer: five scenarios, from easy to impossible.

A scenario's labels follow from the animals: every database image of the query's animal but the query itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from whaledo.challenge.demo.conditions import View
from whaledo.challenge.demo.exact import Topic, chance
from whaledo.challenge.demo.schedule import MAIN_YEAR, YEARS, Shot
from whaledo.challenge.layouts import DATABASES, QUERIES
from whaledo.challenge.model import Layout, Query, Scenario

MOST_QUERIES = 40
"""How many queries a scenario has at most."""

Choice = tuple[list[Shot], list[Shot]]
"""The photographs that may ask, and those of the database."""


def own_database(shots: Sequence[Shot]) -> Choice:
    """Queries that stand in their own database, which has other shots of the same encounter."""
    database = [shot for shot in shots if shot.view is View.TOP and shot.year == MAIN_YEAR]
    taken = Counter(shot.encounter_id for shot in database)
    return [shot for shot in database if taken[shot.encounter_id] > 1], database


def same_season(shots: Sequence[Shot]) -> Choice:
    """Animals met again on another day of the same summer: the last encounter asks for the earlier ones."""
    season = [shot for shot in shots if shot.view is View.TOP and shot.year == MAIN_YEAR]
    first = {shot.whale_id: shot.encounter_id for shot in reversed(_by_time(season))}
    last = {shot.whale_id: shot.encounter_id for shot in _by_time(season)}
    queries = [shot for shot in season if shot.encounter_id == last[shot.whale_id] != first[shot.whale_id]]
    return queries, _without(season, queries)


def other_year(shots: Sequence[Shot]) -> Choice:
    """Animals of the last summer, asked for among the summers before."""
    above = [shot for shot in shots if shot.view is View.TOP]
    database = [shot for shot in above if shot.year != YEARS[-1]]
    known = {shot.whale_id for shot in database}
    return [shot for shot in above if shot.year == YEARS[-1] and shot.whale_id in known], database


def other_view(shots: Sequence[Shot]) -> Choice:
    """Backs seen from above, asked for among flanks seen from the side."""
    database = [shot for shot in shots if shot.view is not View.TOP]
    known = {shot.whale_id for shot in database}
    return [shot for shot in shots if shot.view is View.TOP and shot.whale_id in known], database


def no_match(shots: Sequence[Shot]) -> Choice:
    """Animals with a single photograph, asked for among all others that summer: there is nothing to find."""
    taken = Counter(shot.whale_id for shot in shots)
    queries = [shot for shot in shots if taken[shot.whale_id] == 1]
    season = [shot for shot in shots if shot.view is View.TOP and shot.year == MAIN_YEAR]
    return queries, _without(season, queries)


SCENARIOS: Mapping[str, Callable[[Sequence[Shot]], Choice]] = {
    "own-database": own_database,
    "same-season": same_season,
    "other-year": other_year,
    "other-view": other_view,
    "no-match": no_match,
}
"""The scenarios in order, each with what chooses its photographs."""


def choose_scenarios(seed: int, shots: Sequence[Shot], layout: Layout) -> tuple[Scenario, ...]:
    """All scenarios, each with at most MOST_QUERIES queries, by image id."""
    ending = "txt" if layout is Layout.A else "csv"
    scenarios = []
    for number, (name, choose) in enumerate(SCENARIOS.items(), 1):
        asking, database = choose(shots)
        order = chance(seed, Topic.SCENARIO, number).permutation(len(asking))[:MOST_QUERIES]
        chosen = _ids(asking[index] for index in order)
        scenario_id = f"scenario{number:02d}-{name}"
        scenarios.append(
            Scenario(
                scenario_id,
                tuple(Query(f"scenario{number:02d}-{image_id}", image_id) for image_id in chosen),
                _ids(database),
                f"{QUERIES}/{scenario_id}.csv",
                f"{DATABASES}/{scenario_id}.{ending}",
            )
        )
    return tuple(scenarios)


def _ids(shots: Iterable[Shot]) -> tuple[str, ...]:
    return tuple(sorted(shot.image_id for shot in shots))


def _by_time(shots: Iterable[Shot]) -> list[Shot]:
    return sorted(shots, key=lambda shot: shot.moment)


def _without(shots: Iterable[Shot], left_out: Iterable[Shot]) -> list[Shot]:
    ids = {shot.image_id for shot in left_out}
    return [shot for shot in shots if shot.image_id not in ids]
