"""The interval holds the truth about 95 times in 100, and two equal methods are rarely told apart."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # it has no types

from whaledo.challenge.columns import FloatArray
from whaledo.challenge.sheet import IntArray
from whaledo.scoring.uncertainty import MAX_UNITS, _t, interval


def simulate(draws: np.random.Generator, animals: int) -> tuple[FloatArray, IntArray]:
    """Values with mean 0.5; an animal's values are alike, and animals have unlike numbers of them."""
    units = np.repeat(np.arange(animals), draws.geometric(0.25, animals))
    ease = draws.beta(0.8, 0.8, animals)[units]
    return draws.beta(0.2 + 2 * ease, 2.2 - 2 * ease), units


@pytest.mark.parametrize("animals", [15, 40, 150])
def test_the_interval_holds_the_truth_93_to_97_times_in_100(animals: int) -> None:
    draws, trials = np.random.default_rng(animals), 500
    holds = wrongly_narrow = 0
    for _ in range(trials):
        values, units = simulate(draws, animals)
        low, high = interval(values, units, resamples=600) or (0.0, 0.0)
        holds += low <= 0.5 <= high
        low, high = interval(values, np.arange(len(values)), resamples=600) or (0.0, 0.0)
        wrongly_narrow += low <= 0.5 <= high

    # A true share of 95 % lies in these bounds in all but one of a thousand such experiments.
    assert 0.915 < holds / trials < 0.98
    assert wrongly_narrow / trials < 0.85, "animals make no difference here: the test shows nothing"


def test_two_equal_methods_are_told_apart_in_about_5_of_100_comparisons() -> None:
    draws, trials, told_apart = np.random.default_rng(7), 500, 0
    for _ in range(trials):
        values, units = simulate(draws, 60)
        a, b = (np.clip(values + draws.normal(0, 0.15, len(values)), 0, 1) for _ in range(2))
        low, high = interval(a - b, units, resamples=600) or (0.0, 0.0)
        told_apart += not low <= 0 <= high

    assert 0.02 < told_apart / trials < 0.085


@pytest.mark.parametrize("animals", [2, 3, 4, 5, 6])
def test_a_handful_of_animals_tells_two_equal_methods_apart_no_more_often(animals: int) -> None:
    draws, trials, told_apart = np.random.default_rng(animals), 500, 0
    for _ in range(trials):
        values, units = simulate(draws, animals)
        # An animal may suit one method more than the other: queries of it favour the same one.
        suits = draws.normal(0, 0.15, animals)[units]
        a, b = (np.clip(values + side * suits, 0, 1) for side in (1, -1))
        low, high = interval(a - b, units, within=(-1, 1), resamples=600) or (0.0, 0.0)
        told_apart += not low <= 0 <= high

    assert told_apart / trials < 0.085


def test_the_interval_of_a_handful_of_animals_is_students_and_ends_where_values_end() -> None:
    values = np.array([0.2, 0.4, 0.6])
    low, high = interval(values, np.arange(3)) or (0.0, 0.0)
    half = 4.303 * values.std(ddof=1) / np.sqrt(3)

    assert low == 0.0
    assert high == pytest.approx(0.4 + half)
    assert interval(values, np.arange(3), within=(-1, 1)) == pytest.approx((0.4 - half, 0.4 + half))
    assert interval(np.array([0.1, 0.9]), np.arange(2)) == (0.0, 1.0)


def test_the_interval_is_as_wide_as_theory_has_it() -> None:
    values = np.random.default_rng(0).random(400)
    low, high = interval(values, np.arange(400)) or (0.0, 0.0)

    half = 1.966 * values.std(ddof=1) / 20
    assert (high - low) / 2 == pytest.approx(half, rel=0.03)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.1 * half)


@pytest.mark.parametrize("seed", range(4))
def test_more_units_than_are_drawn_give_an_interval_as_wide_whoever_is_grouped_with_whom(seed: int) -> None:
    values = np.random.default_rng(0).random(20 * MAX_UNITS)
    low, high = interval(values, np.arange(len(values)), seed=seed) or (0.0, 0.0)

    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half, rel=0.025)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.05 * half)


def test_the_same_seed_gives_the_same_interval_however_units_are_numbered() -> None:
    values, units = simulate(np.random.default_rng(0), 50)

    assert interval(values, units) == interval(values, units * 1000 + 5)
    assert interval(values, units) != interval(values, units, seed=1)


def test_one_unit_or_none_gives_no_interval() -> None:
    assert interval(np.array([0.2, 0.4]), np.array([3, 3])) is None
    assert interval(np.array([]), np.array([], np.int64)) is None


def test_equal_values_give_an_interval_without_width() -> None:
    assert interval(np.zeros(50), np.arange(50)) == (0.0, 0.0)
    assert interval(np.array([0.5, 0.5]), np.array([0, 1])) == (0.5, 0.5)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 10, 50, 1000])
def test_the_t_quantile_is_students(freedom: int) -> None:
    assert _t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.002)


def test_ten_thousand_draws_of_a_thousand_animals_take_well_under_a_second() -> None:
    values, units = simulate(np.random.default_rng(0), 1000)
    start = time.process_time()
    interval(values, units)

    assert time.process_time() - start < 0.8
