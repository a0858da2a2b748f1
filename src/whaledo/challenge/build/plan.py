"""Decide everything about a challenge before a file is written: a pure function from a table to a plan.

Animals, not images, are split into the part that competitors learn from and the part that is asked about. What
no scenario uses of the second part is left out. New ids are numbers in a seeded order, so that neither an id nor
its place in a file tells anything about the animal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from whaledo.challenge.build.chance import shuffled
from whaledo.challenge.build.records import BuiltScenario
from whaledo.challenge.build.rules import PRESETS, Field, Rule, Rules
from whaledo.challenge.build.scenarios import Choice, choose
from whaledo.challenge.build.table import Photograph
from whaledo.challenge.layouts import DATABASES, QUERIES
from whaledo.challenge.model import Layout, Query, Scenario
from whaledo.challenge.problems import counted, shown
from whaledo.challenge.rules import ROWS_PER_QUERY
from whaledo.errors import BadData, Problem, Problems, Severity

BLOCK = 10
"""Animals are split within blocks of so many that have about as many photographs each."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A challenge, decided.

    Attributes:
        public: new id to photograph, in the order of the ids.
        training: likewise.
        animals: the names that the training part has for its animals.
        encounters: likewise for an animal's encounters.
        scenarios: of the public part, in terms of new ids.
        sizes: of the scenarios, in the same order.
        unused: photographs of the public animals that no scenario uses.
        notes: presets that the photographs don't allow.
        problems: warnings.
    """

    public: Mapping[str, Photograph]
    training: Mapping[str, Photograph]
    animals: Mapping[str, str]
    encounters: Mapping[tuple[str, str], str]
    scenarios: tuple[Scenario, ...]
    sizes: tuple[BuiltScenario, ...]
    unused: int
    notes: tuple[str, ...]
    problems: Problems


def make_plan(
    photographs: Sequence[Photograph], rules: Rules, *, training_share: float, seed: int, layout: Layout
) -> Plan:
    """Decide a challenge.

    Args:
        photographs: of known animals.
        rules: what the scenarios ask; presets that can't be filled are noted, rules that can't are refused.
        training_share: of the animals.
        seed: decides every choice.
        layout: of the public part; decides the names of its files.

    Raises:
        BadData: if a scenario of the file has no queries or no database, or no query has a match.
    """
    for_training = split_animals(photographs, training_share, seed)
    ours = [one for one in photographs if one.identity not in for_training]
    problems, notes = Problems(), list[str]()
    chosen = _chosen(ours, rules, seed, notes, problems)
    used = {one.image_id for choice in chosen.values() for one in _all(choice)}
    public = _numbered("test", [one for one in ours if one.image_id in used], seed)
    training = _numbered("train", [one for one in photographs if one.identity in for_training], seed)
    new_ids = {one.image_id: new_id for new_id, one in public.items()}
    animals = shuffled(seed, "animals", {one.identity for one in training.values()}, str)
    met = {(one.identity, one.encounter) for one in training.values() if one.encounter is not None}
    encounters = shuffled(seed, "encounters", met, "\0".join)
    return Plan(
        public=public,
        training=training,
        animals={identity: f"animal{n:0{_width(animals)}d}" for n, identity in enumerate(animals, 1)},
        encounters={both: f"encounter{n:0{_width(encounters)}d}" for n, both in enumerate(encounters, 1)},
        scenarios=tuple(_scenario(rule, choice, new_ids, layout) for rule, choice in chosen.items()),
        sizes=tuple(_size(rule, choice) for rule, choice in chosen.items()),
        unused=len(ours) - len(public),
        notes=tuple(notes),
        problems=problems,
    )


def split_animals(photographs: Sequence[Photograph], training_share: float, seed: int) -> frozenset[str]:
    """The animals that competitors may learn from: a share of those with many and of those with few photographs."""
    taken = Counter(one.identity for one in photographs)
    ordered = sorted(shuffled(seed, "split", taken, str), key=lambda animal: -taken[animal])
    chosen: list[str] = []
    for start in range(0, len(ordered), BLOCK):
        block = ordered[start : start + BLOCK]
        # What rounding takes from one block the next one gets back.
        wanted = round((start + len(block)) * training_share) - len(chosen)
        chosen += shuffled(seed, "training", block, str)[:wanted]
    return frozenset(chosen)


def _chosen(
    photographs: Sequence[Photograph], rules: Rules, seed: int, notes: list[str], problems: Problems
) -> dict[Rule, Choice]:
    """The photographs of every scenario that is asked for and can be made."""
    starts = rules.season_starts_in
    chosen: dict[Rule, Choice] = {}
    met = any(one.encounter is not None for one in photographs)
    for rule in rules.rules:
        chosen[rule] = choice = choose(rule, photographs, starts, seed)
        if rule.other_encounter and not met:
            said = f"scenario {shown(rule.name)} asks for other encounters, and the table tells none"
            hint = "name a column: --column date=NAME or --column encounter=NAME; or other_encounter = false"
            problems.add(Problem("no_encounters", said, hint, str(rule.file), rule.line))
        elif why := _unfilled(rule, choice, photographs, starts):
            problems.add(Problem("empty_scenario", why, "widen its filters", str(rule.file), rule.line))
        elif not choice.matched:
            said = f"scenario {shown(rule.name)} has no query with a match: it can't be scored"
            problems.add(_warning("no_match", said, rule))
    if rules.presets and not met:
        notes.append("the table tells no encounters: a match may have been taken a second after its query")
    taken = {rule.name.casefold() for rule in rules.rules}
    for rule in _preset_rules(rules, photographs, notes):
        choice = choose(replace(rule, other_encounter=met), photographs, starts, seed)
        if rule.name in taken:
            notes.append(f"no preset {rule.name}: the file has a scenario of this name")
        elif choice.matched:
            chosen[rule] = choice
        else:
            notes.append(f"no {rule.name}: no animal that is asked for is in the database again")
    if problems.errors:
        said = f"the scenarios can't be filled: {counted(problems.errors, 'problem')}"
        hint = "a smaller --training-share leaves more animals to ask about"
        raise BadData(said, hint=hint, problems=problems)
    if not any(choice.matched for choice in chosen.values()):
        said = f"of {counted(len(photographs), 'photograph')} for the public part no scenario can be made"
        hint = "; ".join(notes) or "no query has a match: give more photographs of the same animals"
        raise BadData(said, hint=hint)
    for rule, choice in chosen.items():
        if len(choice.database) < ROWS_PER_QUERY:
            has = counted(len(choice.database), "image")
            said = (
                f"the database of {shown(rule.name)} has {has}: fewer than the {ROWS_PER_QUERY} of an answer"
            )
            problems.add(_warning("small_database", said, rule))
    return chosen


def _preset_rules(rules: Rules, photographs: Sequence[Photograph], notes: list[str]) -> Iterator[Rule]:
    there = Field.of(photographs, rules.season_starts_in)
    for name in dict.fromkeys(rules.presets):
        made = PRESETS[name](there)
        if isinstance(made, str):
            notes.append(f"no {name}: {made}")
        else:
            yield from made


def _warning(code: str, said: str, rule: Rule) -> Problem:
    file = None if rule.file is None else str(rule.file)
    return Problem(code, said, "", file, rule.line, Severity.WARNING)


def _unfilled(rule: Rule, choice: Choice, photographs: Sequence[Photograph], starts: int) -> str:
    """Why a scenario has no queries or no database; empty where it has both."""
    if choice.database and (choice.matched or choice.new):
        return ""
    side = "queries" if choice.database else "database"
    asking, pool = (
        sum(one.passes(photograph, starts) for photograph in photographs)
        for one in (rule.query, rule.database)
    )
    return (
        f"scenario {shown(rule.name)} has no {side}: of {counted(len(photographs), 'photograph')} "
        f"{asking:,} may ask ({rule.query}) and {pool:,} may answer ({rule.database})"
    )


def _all(choice: Choice) -> tuple[Photograph, ...]:
    return choice.matched + choice.new + choice.database


def _numbered(part: str, photographs: Sequence[Photograph], seed: int) -> dict[str, Photograph]:
    ordered = shuffled(seed, part, photographs, lambda one: one.image_id)
    return {f"{part}{n:0{_width(ordered)}d}": one for n, one in enumerate(ordered, 1)}


def _width(items: Sequence[object]) -> int:
    return max(4, len(str(len(items))))


def _scenario(rule: Rule, choice: Choice, new_ids: Mapping[str, str], layout: Layout) -> Scenario:
    asking = sorted(new_ids[one.image_id] for one in choice.matched + choice.new)
    return Scenario(
        rule.name,
        tuple(Query(f"{rule.name}-{image_id}", image_id) for image_id in asking),
        tuple(sorted(new_ids[one.image_id] for one in choice.database)),
        f"{QUERIES}/{rule.name}.csv",
        f"{DATABASES}/{rule.name}.{'txt' if layout is Layout.A else 'csv'}",
    )


def _size(rule: Rule, choice: Choice) -> BuiltScenario:
    matched, new = len(choice.matched), len(choice.new)
    animals = {one.identity for one in choice.matched + choice.new}
    return BuiltScenario(rule.name, matched + new, matched, new, len(choice.database), len(animals))
