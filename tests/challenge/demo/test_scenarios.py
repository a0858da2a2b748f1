from __future__ import annotations

from whaledo.challenge.identities import identity_labels
from whaledo.challenge.model import Challenge, Scenario


def scenario(challenge: Challenge, name: str) -> Scenario:
    return next(one for one in challenge.scenarios if one.scenario_id.endswith(name))


def field(challenge: Challenge, image_id: str, column: str) -> str:
    return challenge.images[image_id].fields[column]


def queries(challenge: Challenge, name: str) -> list[str]:
    return [query.image_id for query in scenario(challenge, name).queries]


def test_every_query_but_those_of_single_animals_has_a_match(small_demo: Challenge) -> None:
    labelled = {query_id for query_id, _ in identity_labels(small_demo)}
    for one in small_demo.scenarios:
        asked = {query.query_id for query in one.queries}
        assert asked & labelled == (set() if one.scenario_id.endswith("no-match") else asked)


def test_query_ids_name_the_scenario_and_the_image(small_demo: Challenge) -> None:
    for one in small_demo.scenarios:
        for query in one.queries:
            assert query.query_id == f"{one.scenario_id[:10]}-{query.image_id}"


def test_own_database_queries_stand_in_their_database_beside_shots_of_their_encounter(
    small_demo: Challenge,
) -> None:
    database = scenario(small_demo, "own-database").database
    encounters = [field(small_demo, image_id, "encounter_id") for image_id in database]
    for image_id in queries(small_demo, "own-database"):
        assert image_id in database
        assert encounters.count(field(small_demo, image_id, "encounter_id")) > 1


def test_same_season_queries_are_of_another_day_of_the_same_summer(small_demo: Challenge) -> None:
    database = scenario(small_demo, "same-season").database
    for image_id in queries(small_demo, "same-season"):
        whale, date = field(small_demo, image_id, "whale_id"), field(small_demo, image_id, "date")
        matches = [other for other in database if field(small_demo, other, "whale_id") == whale]
        assert all(field(small_demo, other, "date")[:4] == date[:4] for other in matches)
        assert all(field(small_demo, other, "date") < date for other in matches)


def test_other_year_queries_are_of_a_later_summer_than_the_whole_database(small_demo: Challenge) -> None:
    latest = max(
        field(small_demo, image_id, "date") for image_id in scenario(small_demo, "other-year").database
    )
    assert all(
        field(small_demo, image_id, "date")[:4] > latest[:4] for image_id in queries(small_demo, "other-year")
    )


def test_other_view_asks_for_flanks_with_backs(small_demo: Challenge) -> None:
    asked = {field(small_demo, image_id, "viewpoint") for image_id in queries(small_demo, "other-view")}
    answers = {
        field(small_demo, image_id, "viewpoint") for image_id in scenario(small_demo, "other-view").database
    }
    assert (asked, answers) == ({"top"}, {"left", "right"})


def test_no_match_queries_are_of_animals_with_one_photograph(small_demo: Challenge) -> None:
    animals = [image.fields["whale_id"] for image in small_demo.images.values()]
    for image_id in queries(small_demo, "no-match"):
        assert animals.count(field(small_demo, image_id, "whale_id")) == 1


def test_dates_are_summer_days_of_three_years_and_encounters_one_day_each(small_demo: Challenge) -> None:
    days: dict[str, set[str]] = {}
    for image in small_demo.images.values():
        days.setdefault(image.fields["encounter_id"], set()).add(image.fields["date"])
        assert image.fields["timestamp"].startswith(image.fields["date"])
    assert all(len(dates) == 1 for dates in days.values())
    months = {date[:7] for dates in days.values() for date in dates}
    assert months <= {f"{year}-{month}" for year in (2017, 2018, 2019) for month in ("07", "08")}
    assert {month[:4] for month in months} == {"2017", "2018", "2019"}
