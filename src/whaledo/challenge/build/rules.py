"""What scenarios ask: rules from a TOML file, or presets that mirror the beluga competition's.

A rule says which photographs may ask and which form the database, by viewpoint, year and season. A season is
twelve months long and named for the year it starts in; it starts in January unless the file says otherwise.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from whaledo.challenge.build.table import Photograph
from whaledo.challenge.paths import unfit_name
from whaledo.challenge.problems import counted, listed, nearest, shown
from whaledo.challenge.tables import read_text
from whaledo.errors import BadData, Problem, Problems, UsageError

MOST_QUERIES = 500
NEW_INDIVIDUALS = 0.1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which photographs: those that fit every given list; an empty list lets all pass."""

    viewpoint: tuple[str, ...] = ()
    year: tuple[int, ...] = ()
    season: tuple[int, ...] = ()

    def passes(self, one: Photograph, season_starts_in: int) -> bool:
        """Whether a photograph fits; one without a date or a viewpoint fits no list of them."""
        year = None if one.when is None else one.when.year
        season = None if one.when is None else one.when.season(season_starts_in)
        return (
            (not self.viewpoint or one.viewpoint in self.viewpoint)
            and (not self.year or year in self.year)
            and (not self.season or season in self.season)
        )

    def __str__(self) -> str:
        said = {"viewpoint": self.viewpoint, "year": self.year, "season": self.season}
        return ", ".join(f"{key} {' or '.join(map(str, of))}" for key, of in said.items() if of) or "all"


@dataclass(frozen=True, slots=True)
class Rule:
    """One scenario to be made.

    Attributes:
        name: the scenario's id.
        query: which photographs may ask.
        database: which photographs form the database.
        other_encounter: whether an animal must be found in another encounter than the one that asks. If not, a
            query may stand in its own database.
        most_queries: more are thinned out.
        new_individuals: at most this share of the queries has no match.
        file: where the rule stands; None: it is a preset.
        line: the line there.
    """

    name: str
    query: Filter
    database: Filter
    other_encounter: bool = True
    most_queries: int = MOST_QUERIES
    new_individuals: float = NEW_INDIVIDUALS
    file: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a scenarios file says.

    Attributes:
        rules: scenarios in file order.
        presets: names of presets to add.
        season_starts_in: the month, from 1, in which seasons start.
    """

    rules: tuple[Rule, ...] = ()
    presets: tuple[str, ...] = ()
    season_starts_in: int = 1


@dataclass(frozen=True, slots=True)
class Field:
    """The photographs of the public part, as the presets see them.

    Attributes:
        viewpoints: from the most photographed to the least.
        seasons: with at least one photograph from the main viewpoint, in order.
        main_season: the one with most photographs from the main viewpoint; None: no dates.
    """

    viewpoints: tuple[str, ...]
    seasons: tuple[int, ...]
    main_season: int | None

    @classmethod
    def of(cls, photographs: Iterable[Photograph], season_starts_in: int) -> Field:
        """Count what there is."""
        seen = list(photographs)
        views = Counter(one.viewpoint for one in seen if one.viewpoint)
        viewpoints = tuple(sorted(views, key=lambda view: (-views[view], view)))
        main = [one for one in seen if not viewpoints or one.viewpoint == viewpoints[0]]
        dated = (one.when.season(season_starts_in) for one in main if one.when is not None)
        seasons = Counter(season for season in dated if season is not None)
        most = max(seasons, key=lambda season: (seasons[season], season), default=None)
        return cls(viewpoints, tuple(sorted(seasons)), most)

    @property
    def main_view(self) -> tuple[str, ...]:
        """The most photographed viewpoint, as a filter has it."""
        return self.viewpoints[:1]


def _same_view(field: Field) -> list[Rule] | str:
    views: list[tuple[str, ...]] = [(view,) for view in field.viewpoints] or [()]
    return [Rule(_name("same-view", *view), Filter(view), Filter(view)) for view in views]


def _cross_view(field: Field) -> list[Rule] | str:
    if len(field.viewpoints) < 2:
        return "the photographs have a single viewpoint, or none"
    main = field.main_view
    return [
        Rule(_name("cross-view", *main, view), Filter(main), Filter((view,))) for view in field.viewpoints[1:]
    ]


def _same_season(field: Field) -> list[Rule] | str:
    if field.main_season is None:
        return "the photographs have no dates"
    both = Filter(field.main_view, season=(field.main_season,))
    return [Rule(_name("same-season", *field.main_view, field.main_season), both, both)]


def _cross_season(field: Field) -> list[Rule] | str:
    if len(field.seasons) < 2:
        return "the photographs are of a single season, or have no dates"
    *before, last = field.seasons
    name = _name("cross-season", *field.main_view, last)
    return [
        Rule(name, Filter(field.main_view, season=(last,)), Filter(field.main_view, season=tuple(before)))
    ]


PRESETS: Mapping[str, Callable[[Field], list[Rule] | str]] = MappingProxyType(
    {
        "same-season": _same_season,
        "cross-season": _cross_season,
        "same-view": _same_view,
        "cross-view": _cross_view,
    }
)
"""Each preset: the rules it makes of the photographs, or why it makes none."""


def check_presets(names: Iterable[str]) -> None:
    """Make sure that there are presets of these names.

    Raises:
        UsageError: if one isn't.
    """
    for name in names:
        if name not in PRESETS:
            meant = nearest(name, PRESETS)
            hint = f"did you mean {meant}?" if meant else f"there are {', '.join(PRESETS)}"
            raise UsageError(f"there is no preset {name!r}", hint=hint)


def _name(*parts: object) -> str:
    """A scenario's name that can be a file's name, whatever the viewpoint is called."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(map(str, parts)).lower()).strip("-")


def read_rules(path: Path) -> Rules:
    """Read a TOML file of scenarios.

    Raises:
        BadData: with every problem of the file at once.
    """
    problems = Problems()
    text = read_text(path, problems)
    document: dict[str, Any] = {}
    try:
        document = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = int(place[1]) if place else None
        problems.add(Problem("bad_scenarios", f"it isn't TOML: {error}", file=str(path), line=line))
    rules = Rules()
    if not problems.errors:
        rules = _Reader(path, text or "", problems).rules(document)
    if problems.errors:
        said = f"the scenarios {path} can't be used: {counted(problems.errors, 'problem')}"
        raise BadData(said, problems=problems)
    return rules


@dataclass(slots=True)
class _Reader:
    """Turns the document into rules, and says what is wrong with it and where."""

    path: Path
    text: str
    problems: Problems
    names: dict[str, int | None] = field(default_factory=dict)

    def rules(self, document: Mapping[str, Any]) -> Rules:
        self._check_keys(document, ("scenario", "presets", "season_starts_in"), 0)
        starts = document.get("season_starts_in", 1)
        if not _is_number(starts) or not 1 <= starts <= 12:
            self._add(f"season_starts_in = {starts!r}: it is the number of a month", 0, "season_starts_in")
        presets = _listed(document.get("presets", []))
        for name in presets:
            if name not in PRESETS:
                self._add(f"there is no preset {name!r}; there are {', '.join(PRESETS)}", 0, "presets")
        tables = document.get("scenario", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._add("write each scenario as [[scenario]], with double brackets", 0)
            tables = []
        rules = tuple(self._rule(table, number) for number, table in enumerate(tables, 1))
        if not rules and not presets:
            self._add("it has no [[scenario]] and no presets", 0)
        return Rules(rules, tuple(presets), starts)

    def _rule(self, table: Mapping[str, Any], number: int) -> Rule:
        keys = ("name", "query", "database", "other_encounter", "most_queries", "new_individuals")
        self._check_keys(table, keys, number)
        name, other = table.get("name"), table.get("other_encounter", True)
        most, new = table.get("most_queries", MOST_QUERIES), table.get("new_individuals", NEW_INDIVIDUALS)
        if not isinstance(name, str) or not name:
            self._add('it has no name, such as name = "same-season"', number)
            name = f"scenario{number}"
        elif (why := unfit_name(name)) is not None:
            self._add(f"{shown(name)} can't be its name: {why}", number, "name")
        elif name.casefold() in self.names:
            self._add(f"another scenario has the name {shown(name)}", number, "name")
        self.names[name.casefold()] = number
        if not isinstance(other, bool):
            self._add(f"other_encounter = {other!r}: it is true or false", number, "other_encounter")
        if not _is_number(most) or most < 1:
            self._add(f"most_queries = {most!r}: it is a whole number, 1 or more", number, "most_queries")
        if not isinstance(new, int | float) or not 0 <= new < 1:
            said = f"new_individuals = {new!r}: it is a share, 0 or more and less than 1"
            self._add(said, number, "new_individuals")
        query, database = (self._filter(table.get(side, {}), side, number) for side in ("query", "database"))
        return Rule(name, query, database, bool(other), most, new, self.path, self._line(number))

    def _filter(self, table: Any, side: str, number: int) -> Filter:
        example = f'{side} = {{ viewpoint = "top", season = [2017, 2018] }}'
        if not isinstance(table, dict):
            self._add(f"{side} = {table!r}: write {example}", number, side)
            return Filter()
        self._check_keys(table, ("viewpoint", "year", "season"), number, side)
        viewpoint = _listed(table.get("viewpoint", []))
        numbers = [_listed(table.get(key, [])) for key in ("year", "season")]
        if not all(isinstance(value, str) and value for value in viewpoint):
            self._add(f"{side}.viewpoint = {viewpoint!r}: it is text, or a list of texts", number, side)
        if not all(_is_number(value) for values in numbers for value in values):
            self._add(f"years and seasons of {side} are numbers such as 2019, without quotes", number, side)
        return Filter(tuple(viewpoint), tuple(numbers[0]), tuple(numbers[1]))

    def _check_keys(
        self, table: Mapping[str, Any], known: Sequence[str], number: int, side: str = ""
    ) -> None:
        for key in table:
            if key not in known:
                meant = nearest(key, known)
                hint = f"did you mean {meant}?" if meant else f"there are {', '.join(known)}"
                self._add(f"there is no key {key!r}{side and f' in {side}'}; {hint}", number, side or key)

    def _add(self, said: str, number: int, key: str = "") -> None:
        of = f"scenario {number}: " if number else ""
        self.problems.add(
            Problem("bad_scenarios", of + said, file=str(self.path), line=self._line(number, key))
        )

    def _line(self, number: int, key: str = "") -> int | None:
        """The line of the numbered [[scenario]], or of a key in it; 0: of a key above them all."""
        lines = self.text.split("\n")
        starts = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[\s*scenario\s*\]\]", line)]
        bounds = [0, *starts, len(lines)]
        if number + 1 >= len(bounds):
            return None
        first, last = bounds[number], bounds[number + 1]
        for n in range(first, last):
            if key and re.match(rf"""\s*\[*["']?(\w+\.)?{re.escape(key)}\b""", lines[n]):
                return n + 1
        return first + 1 if number else None


def _is_number(value: Any) -> bool:
    # In Python true is a number too.
    return isinstance(value, int) and not isinstance(value, bool)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def check_values(rules: Rules, photographs: Sequence[Photograph]) -> None:
    """Make sure that rules ask for viewpoints and years that some photograph has.

    Raises:
        BadData: with every value that none has.
    """
    views = {one.viewpoint for one in photographs if one.viewpoint}
    dated = [one.when for one in photographs if one.when is not None]
    years = {when.year for when in dated}
    seasons = {season for when in dated if (season := when.season(rules.season_starts_in)) is not None}
    problems = Problems()
    for rule in rules.rules:
        for side, one in (("query", rule.query), ("database", rule.database)):
            for key, wanted, there in (
                ("viewpoint", one.viewpoint, views),
                ("year", one.year, years),
                ("season", one.season, seasons),
            ):
                for value in wanted:
                    if value not in there:
                        has = listed(map(str, sorted(there))) if there else f"no {key} at all"
                        said = f"scenario {shown(rule.name)}: no photograph has the {key} {value!r} of its {side}"
                        hint = f"the table has {has}"
                        problems.add(Problem("unknown_value", said, hint, str(rule.file), rule.line))
    if problems:
        raise BadData("the scenarios don't fit the table", problems=problems)
