from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.report import charts

SHARE = st.floats(0, 1)


def parsed(svg: str) -> ET.Element:
    """The drawing, well-formed, without a style attribute, which the page's policy forbids."""
    root = ET.fromstring(svg)
    assert not [element for element in root.iter() if "style" in element.attrib]
    return root


def test_what_is_given_as_text_is_escaped() -> None:
    svg = charts.cmc([('<script>"x"&', (0.1, 0.2))])

    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg
    parsed(svg)


@given(st.floats(-1, 2), SHARE, SHARE)
def test_a_bar_stays_in_its_cell(value: float, low: float, high: float) -> None:
    root = parsed(charts.bar(value, (low, high), label="a"))

    for element in root.iter("rect"):
        width = element.attrib["width"]
        assert 0 <= float(width.rstrip("%")) <= 100


def test_a_bar_is_as_long_as_its_value_and_its_interval_stands_where_it_is() -> None:
    root = parsed(charts.bar(0.25, (0.1, 0.5)))

    assert [element.attrib["width"] for element in root.iter("rect")] == ["100%", "25.00%"]
    whisker = next(root.iter("line"))
    assert (whisker.attrib["x1"], whisker.attrib["x2"]) == ("10.00%", "50.00%")


@pytest.mark.parametrize(("value", "x", "kind"), [(0.1, "50.00%", "better"), (-0.1, "25.00%", "worse")])
def test_a_difference_goes_right_where_it_is_above_0_and_left_where_below(
    value: float, x: str, kind: str
) -> None:
    drawn = [*parsed(charts.difference_bar(value, None, 0.2, "a")).iter("rect")][1].attrib

    assert (drawn["x"], drawn["width"], drawn["class"]) == (x, "25.00%", f"bar {kind}")


def test_the_curve_has_a_dot_for_each_row_that_says_its_share() -> None:
    root = parsed(charts.cmc([("", (0.25, 0.5, 1.0))]))

    assert [element[0].text for element in root.iter("circle")] == [
        "25.0% within 1",
        "50.0% within 2",
        "100.0% within 3",
    ]
    heights = [float(element.attrib["cy"]) for element in root.iter("circle")]
    assert heights == sorted(heights, reverse=True)


def test_each_histogram_is_a_share_of_its_own_number() -> None:
    root = parsed(charts.histogram([0, 3], [40, 0]))

    columns = {each.attrib["class"]: float(each.attrib["height"]) for each in root.iter("rect")}
    assert columns["column right"] == columns["column wrong"]


@given(st.lists(st.tuples(SHARE, SHARE, st.integers(0, 10**6)), max_size=10))
def test_a_reliability_diagram_has_a_dot_for_each_bin_with_pairs(
    bins: list[tuple[float, float, int]],
) -> None:
    root = parsed(charts.reliability(bins))

    assert len([*root.iter("circle")]) == sum(count > 0 for _, _, count in bins)


def test_every_chart_says_what_it_shows() -> None:
    for svg in (
        charts.cmc([("", (0.5, 0.6))]),
        charts.histogram([1], [2]),
        charts.reliability([(0.1, 0.2, 3)]),
    ):
        root = parsed(svg)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == root[0].text
