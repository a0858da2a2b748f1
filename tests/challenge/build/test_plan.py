"""What a plan decides: who competes, who asks, who answers, and what nobody can tell from the ids."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.challenge.build.dates import When
from whaledo.challenge.build.plan import Plan, make_plan, split_animals
from whaledo.challenge.build.rules import PRESETS, Filter, Rule, Rules
from whaledo.challenge.build.table import Photograph
from whaledo.challenge.model import Layout
from whaledo.errors import BadData

ALL = Rules(presets=tuple(PRESETS))


def herd(animals: int = 40, encounters: int = 3, shots: int = 2, *, dated: bool = True) -> list[Photograph]:
    found: list[Photograph] = []
    for animal in range(animals):
        for met in range(encounters):
            for shot in range(shots):
                when = When(2018 + met % 2, 6, 1 + met) if dated else None
                found.append(
                    Photograph(
                        len(found) + 2,
                        f"i{len(found)}",
                        f"{len(found)}.jpg",
                        f"a{animal}",
                        when,
                        ("top", "left")[shot % 2],
                        str(when) if when else None,
                        None,
                    )
                )
    return found


def planned(photographs: Sequence[Photograph], rules: Rules = ALL, share: float = 0.5, seed: int = 1) -> Plan:
    return make_plan(photographs, rules, training_share=share, seed=seed, layout=Layout.A)


def one_scenario(plan: Plan) -> tuple[list[Photograph], list[Photograph]]:
    (scenario,) = plan.scenarios
    queries = [plan.public[query.image_id] for query in scenario.queries]
    return queries, [plan.public[image_id] for image_id in scenario.database]


def test_animals_are_split_not_images() -> None:
    plan = planned(herd())
    ours = {one.identity for one in plan.public.values()}
    theirs = {one.identity for one in plan.training.values()}
    assert (len(ours), len(theirs)) == (20, 20)
    assert ours.isdisjoint(theirs)
    assert set(plan.animals) == theirs


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.5, 0.9])
def test_both_parts_have_their_share_of_animals_and_of_photographs(share: float) -> None:
    chance = random.Random(4)
    photographs: list[Photograph] = []
    for animal in range(200):
        for _ in range(int(chance.paretovariate(1)) + 1):
            n = len(photographs)
            photographs.append(Photograph(n, str(n), "", f"a{animal}", None, "", None, None))
    chosen = split_animals(photographs, share, seed=7)
    assert len(chosen) == round(200 * share)
    taken = sum(one.identity in chosen for one in photographs) / len(photographs)
    assert abs(taken - share) < 0.15


def test_a_plan_follows_from_the_seed_and_not_from_the_order_of_rows() -> None:
    photographs = herd()
    turned = random.Random(2).sample(photographs, len(photographs))
    assert planned(photographs).public == planned(turned).public
    assert planned(photographs).scenarios == planned(turned).scenarios
    assert planned(photographs).public != planned(photographs, seed=2).public


def test_ids_and_their_order_tell_nothing_about_the_animals() -> None:
    plan = planned(herd())
    assert list(plan.public) == sorted(plan.public)
    animals = [one.identity for one in plan.public.values()]
    neighbours = sum(one == other for one, other in pairwise(animals))
    assert neighbours < len(animals) / 8
    lines = [one.line for one in plan.public.values()]
    assert lines != sorted(lines)
    for scenario in plan.scenarios:
        assert list(scenario.database) == sorted(scenario.database)
        asked = [query.image_id for query in scenario.queries]
        assert asked == sorted(asked)


def test_an_animal_is_found_in_another_encounter_than_the_one_that_asks() -> None:
    plan = planned(herd())
    assert len(plan.scenarios) == 5
    for scenario in plan.scenarios:
        stored = {(one.identity, one.encounter) for one in map(plan.public.get, scenario.database) if one}
        for query in scenario.queries:
            one = plan.public[query.image_id]
            assert (one.identity, one.encounter) not in stored


def test_the_latest_encounter_asks_for_the_earlier_ones() -> None:
    both = Filter(("top",))
    queries, database = one_scenario(planned(herd(), Rules((Rule("r", both, both),))))
    assert {str(one.when) for one in queries} == {"2019-06-02"}
    assert {str(one.when) for one in database} == {"2018-06-01", "2018-06-03"}


def test_where_filters_keep_encounters_apart_all_of_them_ask() -> None:
    rule = Rule("r", Filter(year=(2018,)), Filter(year=(2019,)))
    queries, database = one_scenario(planned(herd(), Rules((rule,)), share=0))
    assert len(queries) == 40 * 2 * 2
    assert len(database) == 40 * 2


def test_a_query_may_stand_in_its_own_database_where_encounters_dont_matter() -> None:
    rule = Rule("r", Filter(("top",)), Filter(("top",)), other_encounter=False)
    plan = planned(herd(dated=False), Rules((rule,)))
    queries, database = one_scenario(plan)
    assert {one.image_id for one in queries} <= {one.image_id for one in database}
    (size,) = plan.sizes
    assert (size.queries, size.labelled_queries, size.new_individuals) == (60, 60, 0)


@pytest.mark.parametrize("other_encounter", [True, False])
def test_animals_without_a_match_are_kept_as_new_individuals(other_encounter: bool) -> None:
    photographs = herd(20)
    photographs += [
        Photograph(1000 + n, f"n{n}", "", f"new{n}", When(2019, 7), "top", "x", None) for n in range(20)
    ]
    both = Filter(("top",))
    rule = Rule("r", both, both, other_encounter=other_encounter, new_individuals=0.25)
    plan = planned(photographs, Rules((rule,)), share=0)
    queries, database = one_scenario(plan)
    (size,) = plan.sizes
    assert size.new_individuals == size.queries // 4 > 0
    new = {one.identity for one in queries if one.identity.startswith("new")}
    assert len(new) == size.new_individuals
    stored = {one.identity for one in database if one.identity.startswith("new")}
    # Where a query may stand in its own database it does; otherwise those that don't ask only fill it.
    assert len(stored) == 20 if not other_encounter else stored.isdisjoint(new)


def test_queries_are_thinned_out_by_chance_and_not_by_row() -> None:
    rule = Rule("r", Filter(), Filter(), most_queries=10)
    queries, _ = one_scenario(planned(herd(), Rules((rule,))))
    assert len(queries) == 10
    assert len({one.identity for one in queries}) > 5


def test_photographs_of_no_known_encounter_neither_ask_nor_answer_for_their_animal() -> None:
    photographs = herd(4)
    photographs += [Photograph(900 + n, f"u{n}", "", f"a{n}", None, "top", None, None) for n in range(4)]
    queries, database = one_scenario(planned(photographs, Rules((Rule("r", Filter(), Filter()),)), share=0))
    assert all(one.encounter for one in queries + database)


def test_what_no_scenario_uses_is_left_out() -> None:
    rule = Rule("r", Filter(("top",)), Filter(("top",)))
    plan = planned(herd(), Rules((rule,)))
    assert {one.viewpoint for one in plan.public.values()} == {"top"}
    assert {one.viewpoint for one in plan.training.values()} == {"top", "left"}
    assert plan.unused == 60


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            Rule("r", Filter(year=(1999,)), Filter()),
            "has no queries: of 120 photographs 0 may ask (year 1999)",
        ),
        (
            Rule("r", Filter(), Filter(("side",))),
            "has no database: of 120 photographs 120 may ask (all) and 0",
        ),
    ],
)
def test_a_scenario_that_stays_empty_is_refused_with_what_its_filters_leave(rule: Rule, said: str) -> None:
    with pytest.raises(BadData) as raised:
        planned(herd(), Rules((rule,)))
    assert said in next(iter(raised.value.problems)).message


def test_a_database_smaller_than_an_answer_is_warned_of() -> None:
    plan = planned(herd(8), Rules((Rule("r", Filter(("top",)), Filter(("top",))),)))
    assert [problem.code for problem in plan.problems] == ["small_database"]
    assert "'r' has 8 images: fewer than the 20 of an answer" in next(iter(plan.problems)).message
    assert plan.problems.errors == 0


def test_without_encounters_a_rule_is_refused_and_presets_say_so() -> None:
    with pytest.raises(BadData) as raised:
        planned(herd(dated=False), Rules((Rule("r", Filter(), Filter()),)))
    assert "--column date=NAME" in next(iter(raised.value.problems)).hint
    plan = planned(herd(dated=False))
    assert [size.scenario_id for size in plan.sizes] == [
        "same-view-left",
        "same-view-top",
        "cross-view-left-top",
    ]
    assert "the table tells no encounters" in plan.notes[0]
    assert plan.notes[1:] == (
        "no same-season: the photographs have no dates",
        "no cross-season: the photographs are of a single season, or have no dates",
    )


def test_animals_that_were_met_once_make_no_challenge() -> None:
    with pytest.raises(BadData, match="no scenario can be made") as raised:
        planned(herd(encounters=1))
    assert "is in the database again" in raised.value.hint


def test_a_file_s_scenario_goes_before_a_preset_of_its_name() -> None:
    rule = Rule("same-view-top", Filter(("left",)), Filter(("left",)))
    plan = planned(herd(), Rules((rule,), ("same-view",)))
    assert Counter(size.scenario_id for size in plan.sizes) == {"same-view-top": 1, "same-view-left": 1}
    assert "no preset same-view-top: the file has a scenario of this name" in plan.notes


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_the_table_no_query_finds_its_own_encounter_and_labels_are_right(
    data: st.DataObject,
) -> None:
    number = data.draw(st.integers(10, 60))
    drawn = [
        Photograph(
            n,
            str(n),
            "",
            data.draw(st.sampled_from("abcde")),
            None,
            data.draw(st.sampled_from(["", "top", "left"])),
            data.draw(st.sampled_from([None, "1", "2", "3"])),
            None,
        )
        for n in range(number)
    ]
    try:
        plan = planned(drawn, Rules(presets=("same-view", "cross-view")), share=0.2, seed=number)
    except BadData:
        return
    met = any(one.encounter for one in plan.public.values())
    for scenario, size in zip(plan.scenarios, plan.sizes, strict=True):
        matched = 0
        for query in scenario.queries:
            one = plan.public[query.image_id]
            its = [plan.public[image_id] for image_id in scenario.database if image_id != query.image_id]
            its = [other for other in its if other.identity == one.identity]
            matched += bool(its)
            assert not met or all(other.encounter not in {None, one.encounter} for other in its)
        assert (matched, len(scenario.queries)) == (size.labelled_queries, size.queries)
