from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.challenge.demo.above import from_above
from whaledo.challenge.demo.animals import SKIN_COLUMNS, SKIN_ROWS, Animal, Mark, draw_animal, skin
from whaledo.challenge.demo.beside import from_the_side
from whaledo.challenge.demo.conditions import View, draw_conditions, draw_pose
from whaledo.challenge.demo.exact import Field, Topic, around, chance, noise, spline
from whaledo.challenge.demo.photographs import photograph_animal
from whaledo.challenge.demo.schedule import Encounter, Plan, Shot, draw_schedule

SCAR = Mark(0.5, -0.4, (1.0, 0.0), 0.05, 0.02, 0.0, 0.0, -0.5, 2018)


def light(animal: Animal, view: View, year: int = 2018) -> Field:
    conditions = draw_conditions(chance(1, Topic.DAY), chance(1, Topic.ENCOUNTER))
    pose, rng = draw_pose(chance(1, Topic.BURST)), chance(1, Topic.SHOT)
    if view is View.TOP:
        return from_above(animal, skin(animal, year), conditions, pose, rng)
    return from_the_side(animal, skin(animal, year), conditions, pose, view, rng)


def test_a_photograph_does_not_depend_on_those_of_other_encounters() -> None:
    shots = [shot for shot in draw_schedule(3, Plan(40, 9, 2)) if shot.encounter.animal == 8]
    last = [shot for shot in shots if shot.encounter == shots[-1].encounter]
    assert len(last) < len(shots)
    together = {taken.shot: taken.jpeg for taken in photograph_animal(3, shots)}
    assert {taken.shot: taken.jpeg for taken in photograph_animal(3, last)} == {
        shot: together[shot] for shot in last
    }


def test_marks_are_got_in_their_year_and_stay() -> None:
    marked = replace(draw_animal(1, 1), marks=(SCAR,), paling=0.0)
    bare = replace(marked, marks=())
    assert np.array_equal(skin(marked, 2017), skin(bare, 2017))
    for year in (2018, 2019):
        changed = np.argwhere(skin(marked, year) != skin(bare, year)).mean(axis=0)
        assert changed[0] / (SKIN_ROWS - 1) == pytest.approx(0.5, abs=0.02)
        assert changed[1] / (SKIN_COLUMNS - 1) * 2 - 1 == pytest.approx(-0.4, abs=0.02)


def test_a_mark_on_the_left_flank_is_seen_from_the_left_and_from_above_only() -> None:
    marked = replace(draw_animal(1, 1), marks=(SCAR,))
    bare = replace(marked, marks=())
    seen = {view: not np.array_equal(light(marked, view), light(bare, view)) for view in View}
    assert seen == {View.TOP: True, View.LEFT: True, View.RIGHT: False}


def test_the_head_is_on_the_left_of_a_left_flank_and_on_the_right_of_a_right_one() -> None:
    animal = replace(draw_animal(1, 1), marks=(), mottling=0.0)
    assert np.allclose(light(animal, View.LEFT), light(animal, View.RIGHT)[:, ::-1], atol=1e-5)


def test_calves_are_darker_than_adults_and_grow_paler() -> None:
    animals = [draw_animal(1, number) for number in range(60)]
    young = [animal for animal in animals if animal.size < 0.82]
    assert 10 < len(young) < 40
    assert max(animal.shade for animal in young) < min(a.shade for a in animals if a not in young)
    assert skin(young[0], 2019).mean() > skin(replace(young[0], marks=()), 2017).mean()


def test_shots_of_a_burst_are_nearly_the_same_and_those_of_another_burst_are_not() -> None:
    moment = datetime(2018, 8, 1, 12)
    encounter = Encounter(0, 0, View.TOP, 2018, 1)
    shots = [Shot(str(step), "w", "e", encounter, burst, moment) for step, burst in enumerate((0, 0, 1))]
    heights = [taken.height for taken in photograph_animal(11, shots)]
    assert abs(heights[0] - heights[1]) < abs(heights[0] - heights[2])


@given(st.integers(0, 2**64), st.integers(2, 60), st.integers(2, 60), st.floats(1, 90), st.floats(1, 90))
def test_noise_fills_its_shape_and_stays_in_bounds(
    seed: int, height: int, width: int, cell_y: float, cell_x: float
) -> None:
    field = noise(chance(seed, Topic.SHOT), (height, width), cell_y, cell_x)
    assert field.shape == (height, width)
    assert np.abs(field).max() <= 1.5


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30), st.floats(-1, 2))
def test_a_spline_never_leaves_the_range_of_its_values(values: list[float], at: float) -> None:
    curve = spline(values, np.array([at], dtype=np.float32))
    assert min(values) - 1e-4 <= float(curve[0]) <= max(values) + 1e-4


@given(st.integers(0, 2**64), st.floats(-10, 10), st.floats(0, 3))
def test_numbers_around_a_middle_never_stray(seed: int, middle: float, spread: float) -> None:
    assert abs(around(chance(seed, Topic.SHOT), middle, spread) - middle) <= 3.5 * spread
