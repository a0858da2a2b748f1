from __future__ import annotations

from pathlib import Path

import pytest

from whaledo.challenge.build.dates import When
from whaledo.challenge.build.rules import (
    PRESETS,
    Field,
    Filter,
    Rules,
    check_presets,
    check_values,
    read_rules,
)
from whaledo.challenge.build.table import Photograph
from whaledo.errors import BadData, UsageError

GOOD = """\
season_starts_in = 10
presets = ["same-view"]

[[scenario]]
name = "top other year"
query = { viewpoint = "top", year = 2019 }
database = { viewpoint = ["top", "left"], season = [2017, 2018] }
most_queries = 40
new_individuals = 0.2

[[scenario]]
name = "all"
other_encounter = false
"""


def photograph(number: int, when: When | None, viewpoint: str) -> Photograph:
    return Photograph(number, str(number), "a.jpg", "ada", when, viewpoint, None, None)


def refused(path: Path, text: str) -> list[tuple[int | None, str]]:
    (path / "s.toml").write_text(text)
    with pytest.raises(BadData, match="can't be used") as raised:
        read_rules(path / "s.toml")
    return [(problem.line, problem.message) for problem in raised.value.problems]


def test_a_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(GOOD)
    rules = read_rules(tmp_path / "s.toml")
    first, second = rules.rules
    assert (rules.season_starts_in, rules.presets) == (10, ("same-view",))
    assert (first.query, first.database) == (
        Filter(("top",), (2019,)),
        Filter(("top", "left"), season=(2017, 2018)),
    )
    assert (first.other_encounter, first.most_queries, first.new_individuals, first.line) == (
        True,
        40,
        0.2,
        4,
    )
    assert (second.other_encounter, second.query, second.line) == (False, Filter(), 11)


def test_everything_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
season_starts_in = 13
presets = ["sameview"]
colour = 1

[[scenario]]
nam = "x"
query = { viewpoint = 7, yearr = 2019 }

[[scenario]]
name = "a/b"
other_encounter = "yes"
database = { season = "2019" }
most_queries = 0
new_individuals = 1.0

[[scenario]]
name = "same"
query = "top"
[[scenario]]
name = "SAME"
"""
    found = refused(tmp_path, text)
    assert [line for line, _ in found] == [3, 1, 2, 6, 5, 7, 7, 10, 11, 13, 14, 12, 18, 20]
    said = "\n".join(message for _, message in found)
    for part in (
        "season_starts_in = 13",
        "no preset 'sameview'",
        "no key 'colour'",
        "scenario 1: there is no key 'nam'; did you mean name?",
        "scenario 1: it has no name",
        "'yearr' in query; did you mean year?",
        "query.viewpoint = [7]",
        "'a/b' can't be its name",
        "other_encounter = 'yes'",
        "without quotes",
        "most_queries = 0",
        "new_individuals = 1.0",
        "query = 'top': write query = {",
        "another scenario has the name 'SAME'",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("name = top", "isn't TOML", 1),
        ("", "no [[scenario]] and no presets", None),
        ("[scenario]\nname = 'a'\n", "double brackets", None),
    ],
)
def test_files_that_say_nothing_are_refused(tmp_path: Path, text: str, what: str, line: int | None) -> None:
    found = refused(tmp_path, text)
    assert what in found[0][1]
    assert found[0][0] == line


def test_a_file_that_isnt_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData):
        read_rules(tmp_path / "nope.toml")


def test_values_that_no_photograph_has_are_refused_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(GOOD)
    rules = read_rules(tmp_path / "s.toml")
    with pytest.raises(BadData) as raised:
        check_values(rules, [photograph(1, When(2019, 8), "up")])
    said = [str(problem) for problem in raised.value.problems]
    assert len(said) == 4
    assert "no photograph has the viewpoint 'top' of its query (the table has 'up')" in said[0]
    assert "s.toml:4" in said[0]
    assert "has the season 2017 of its database (the table has '2018')" in said[3]


def test_a_filter_lets_nothing_pass_that_it_cant_judge() -> None:
    undated = photograph(1, None, "")
    assert Filter().passes(undated, 1)
    assert not Filter(year=(2019,)).passes(undated, 1)
    assert not Filter(viewpoint=("top",)).passes(undated, 1)
    assert not Filter(season=(2019,)).passes(photograph(2, When(2019), "top"), 10)
    assert Filter(("top",), (2019,), (2018,)).passes(photograph(3, When(2019, 2), "top"), 10)


def test_presets_mirror_the_competition() -> None:
    seen = [photograph(n, When(2019, 8), "top") for n in range(5)]
    seen += [photograph(n, When(2017, 8), "top") for n in range(5, 8)]
    seen += [photograph(9, When(2018, 8), "left")]
    there = Field.of(seen, 1)
    made = {name: preset(there) for name, preset in PRESETS.items()}
    described = {
        name: [(rule.name, str(rule.query), str(rule.database)) for rule in rules]
        for name, rules in made.items()
        if not isinstance(rules, str)
    }
    same = "viewpoint top, season 2019"
    assert described == {
        "same-season": [("same-season-top-2019", same, same)],
        "cross-season": [("cross-season-top-2019", same, "viewpoint top, season 2017")],
        "same-view": [
            ("same-view-top", "viewpoint top", "viewpoint top"),
            ("same-view-left", "viewpoint left", "viewpoint left"),
        ],
        "cross-view": [("cross-view-top-left", "viewpoint top", "viewpoint left")],
    }


def test_presets_say_why_they_make_nothing() -> None:
    there = Field.of([photograph(1, None, "")], 1)
    assert isinstance(PRESETS["same-view"](there), list)
    reasons = {name: preset(there) for name, preset in PRESETS.items() if name != "same-view"}
    assert reasons == {
        "same-season": "the photographs have no dates",
        "cross-season": "the photographs are of a single season, or have no dates",
        "cross-view": "the photographs have a single viewpoint, or none",
    }


def test_an_unknown_preset_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no preset 'same_season'") as raised:
        check_presets(["same_season"])
    assert raised.value.hint == "did you mean same-season?"
    assert Rules().presets == ()
