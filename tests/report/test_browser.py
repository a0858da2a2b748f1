"""The page in a real browser, opened from disk: it works, it runs nothing of others, and it asks for nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from tests.report.conftest import Case, MakeCase

FAINT = """
const share = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => share(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return /^rgba.*, 0\\)$/.test(colour) && element.parentElement ? behind(element.parentElement) : colour;
};
const says = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
const unseen = "script, style, noscript *, option, dialog *, svg *, .skip, :disabled";
return [...document.body.querySelectorAll("*")].filter((element) => {
  if (!says(element) || element.matches(unseen)) return false;
  const pair = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05) < 4.5;
}).map((element) => `${element.className}: ${element.textContent.slice(0, 40)}`);
"""
"""The text whose contrast with what is behind it is under 4.5 (WCAG 2, AA)."""

SHOWN = "return [...document.querySelectorAll('#queries article')]"


def choose(browser: Chrome, name: str, text: str) -> None:
    from selenium.webdriver.support.select import Select

    Select(browser.find_element("id", name)).select_by_visible_text(text)


def outcomes(browser: Chrome) -> list[str]:
    found: list[str] = browser.execute_script(f"{SHOWN}.map(each => each.dataset.outcome)")
    return found


def headings(browser: Chrome) -> list[str]:
    found: list[str] = browser.execute_script(f"{SHOWN}.map(each => each.querySelector('h3').textContent)")
    return found


def loaded(browser: Chrome) -> Any:
    """How many pictures the page has, and how many of them are broken."""
    return browser.execute_script(
        "const all = [...document.images];"
        "return Promise.all(all.map(each => each.decode().then(() => 0, () => 1)))"
        ".then(broken => [all.length, broken.reduce((a, b) => a + b, 0)])"
    )


def test_the_page_opens_from_disk_with_its_figures_and_photographs(
    browser: Chrome, visit: Callable[[str], None], drawn: Case
) -> None:
    result, _ = drawn.report()
    visit(result.path)

    assert f"{result.mean_average_precision:.4f}" == browser.find_element("css selector", ".figure").text
    charts = browser.find_elements("css selector", "svg.chart")
    assert len(charts) == 3
    assert all(chart.size["width"] > 200 and chart.size["height"] > 100 for chart in charts)
    shown, broken = loaded(browser)
    assert shown > 10
    assert broken == 0
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_every_query_is_laid_out_alike_whatever_its_outcome(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    result, _ = small.report()
    visit(result.path)

    assert sorted(outcomes(browser)) == ["first", "later"]
    layouts = browser.execute_script(f"{SHOWN}.map(each => getComputedStyle(each).display)")
    assert layouts == ["block", "block"]


def test_filters_change_what_is_shown(browser: Chrome, visit: Callable[[str], None], drawn: Case) -> None:
    result, page = drawn.report()
    visit(result.path)
    queries = page.block("gallery")["queries"]

    choose(browser, "scenario", page.block("gallery")["scenarios"][1])
    expected = {name for name, number in zip(queries["id"], queries["scenario"], strict=True) if number == 1}
    assert set(headings(browser)) == expected
    assert f"{len(expected)} of {len(queries['id'])} queries" in browser.find_element("id", "count").text

    choose(browser, "scenario", "all")
    choose(browser, "outcome", "nothing right found")
    assert set(outcomes(browser)) == {"none"}
    choose(browser, "outcome", "right in the first row")
    assert set(outcomes(browser)) == {"first"}

    choose(browser, "outcome", "all")
    choose(browser, "order", "as in the challenge")
    assert headings(browser) == queries["id"][:10]
    browser.find_element("id", "next").click()
    assert headings(browser) == queries["id"][10:20]


def test_the_keyboard_alone_reaches_filters_and_photographs(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(key: str) -> None:
        ActionChains(browser).send_keys(key).perform()

    result, _ = small.report()
    visit(result.path)
    reached = []
    for _ in range(12):
        press(Keys.TAB)
        reached.append(browser.switch_to.active_element.get_attribute("id"))
    assert [name for name in reached if name in {"scenario", "outcome", "order", "find"}] == [
        "scenario",
        "outcome",
        "order",
        "find",
    ]

    browser.execute_script("document.activeElement.blur()")
    press("/")
    assert browser.switch_to.active_element.get_attribute("id") == "find"
    press(Keys.TAB)
    press("j")
    assert browser.switch_to.active_element.tag_name == "article"
    press(Keys.TAB)
    press(Keys.ENTER)
    dialog = browser.find_element("id", "closer")
    assert dialog.is_displayed()
    before = dialog.text
    press(Keys.ARROW_RIGHT)
    assert dialog.text != before
    press(Keys.ESCAPE)
    assert not dialog.is_displayed()


def test_hostile_names_are_shown_and_execute_nothing(
    browser: Chrome, visit: Callable[[str], None], hostile: Case
) -> None:
    result, _ = hostile.report()
    visit(result.path)

    assert "<script>window.hacked=1</script>?" in headings(browser)
    for button in browser.find_elements("css selector", ".candidate, .pair")[:4]:
        browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script("return document.querySelectorAll('script').length") == 4
    assert browser.execute_script("return document.querySelectorAll('[onmouseover], [onerror]').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_what_is_typed_into_the_search_is_text(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    result, _ = small.report()
    visit(result.path)
    browser.find_element("id", "find").send_keys("q2")
    WebDriverWait(browser, 5).until(lambda _: headings(browser) == ["q2"])
    browser.find_element("id", "find").send_keys("<img src=x onerror=window.hacked=1>")
    WebDriverWait(browser, 5).until(lambda _: headings(browser) == [])


def test_a_missing_photograph_has_a_placeholder(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    (small.data / "images/1.png").unlink()
    result, _ = small.report()
    visit(result.path)

    labels = [each.get_attribute("aria-label") for each in browser.find_elements("css selector", ".absent")]
    assert labels == ["photograph a2 is missing or broken"]


def test_real_photographs(browser: Chrome, visit: Callable[[str], None], photographed: Case) -> None:
    result, _ = photographed.report()
    visit(result.path)

    assert result.missing_images == 0
    assert len(headings(browser)) == 10
    shown, broken = loaded(browser)
    assert shown > 10
    assert broken == 0


def test_the_keys_turn_the_pages(browser: Chrome, visit: Callable[[str], None], drawn: Case) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    result, _ = drawn.report()
    visit(result.path)
    before = headings(browser)
    ActionChains(browser).send_keys("n").perform()
    assert set(headings(browser)).isdisjoint(before)
    ActionChains(browser).send_keys("p").perform()
    assert headings(browser) == before


def test_every_query_is_reachable_the_worst_first(
    browser: Chrome, visit: Callable[[str], None], drawn: Case
) -> None:
    result, page = drawn.report()
    visit(result.path)
    seen: list[str] = []
    for _ in range(int(browser.find_element("id", "pages").text)):
        seen += headings(browser)
        browser.execute_script("document.getElementById('next').click()")

    gallery = page.block("gallery")
    worth = dict(zip(gallery["queries"]["id"], gallery["sides"][0]["precision"], strict=True))
    assert sorted(seen) == sorted(worth)
    scored = [worth[query] for query in seen if worth[query] is not None]
    assert scored == sorted(scored)


def test_right_and_wrong_are_told_by_mark_and_word_not_by_colour_alone(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    result, _ = small.report()
    visit(result.path)
    told = browser.execute_script(
        "return [...document.querySelectorAll('button.candidate')].map((each) => [each.classList[1],"
        " each.querySelector('.mark').textContent, each.querySelector('.hidden').textContent])"
    )

    assert {tuple(each) for each in told} == {("right", "✓", "right"), ("wrong", "✗", "wrong")}


def test_tied_candidates_share_the_last_of_their_places(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    small.answer([("q1", "a2", 0.9), ("q1", "b1", 0.5), ("q1", "a3", 0.5), ("q2", "b2", 0.1)])
    result, _ = small.report()
    visit(result.path)
    choose(browser, "order", "as in the challenge")

    places = browser.execute_script(
        f"{SHOWN}.map((e) => [...e.querySelectorAll('.strip .rank > :first-child')].map((p) => p.textContent))"
    )
    assert places == [["1", "=3", "=3"], ["1"]]


def test_a_pair_of_animals_leads_to_its_queries_and_back(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    result, _ = small.report()
    visit(result.path)
    browser.find_element("css selector", "button.pair").click()
    assert headings(browser) == ["q2"]
    browser.find_element("css selector", "#count button").click()
    assert sorted(headings(browser)) == ["q1", "q2"]


def test_two_submissions_stand_side_by_side_the_most_changed_query_first(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    rows = [("q1", "a2", 0.9), ("q1", "b1", 0.2), ("q2", "b2", 0.8)]
    result, _ = small.compare(small.answer(rows, "other.csv"))
    visit(result.path)

    assert headings(browser) == ["q2", "q1"]
    sides = browser.execute_script(f"{SHOWN}[0].querySelectorAll('.side')")
    assert [side.text.split(" · ")[0] for side in sides] == [
        "A right further down",
        "B right in the first row",
    ]
    assert outcomes(browser) == ["only-b", "both"]
    browser.find_element("css selector", "button[data-outcome=both]").click()
    assert headings(browser) == ["q1"]
    assert not browser.find_element("css selector", "button[data-outcome=only-a]").is_enabled()
    choose(browser, "outcome", "all")
    choose(browser, "order", "where A is better first")
    assert headings(browser) == ["q1", "q2"]


def test_a_right_answer_that_only_one_submission_found_says_so(
    browser: Chrome, visit: Callable[[str], None], small: Case
) -> None:
    rows = [("q1", "a3", 0.9), ("q1", "a2", 0.2), ("q2", "b2", 0.8)]
    result, _ = small.compare(small.answer(rows, "other.csv"))
    visit(result.path)

    alone = browser.find_elements("css selector", ".alone")
    cards = [(each.text, each.find_element("xpath", "..").text) for each in alone]
    assert [said for said, _ in cards] == ["only B found it"]
    assert "a3" in cards[0][1]


def test_nothing_is_judged_where_nothing_says_what_is_right(
    browser: Chrome, visit: Callable[[str], None], make_case: MakeCase
) -> None:
    case = make_case({"a": "", "b": "", "c": ""}, {"q": "a"}, has_identities=False)
    case.answer([("q", "b", 0.5), ("q", "c", 0.4)])
    result, _ = case.report()
    visit(result.path)

    assert headings(browser) == ["q"]
    assert browser.find_elements("css selector", ".right, .wrong") == []
    assert not set("✓✗") & set(browser.find_element("tag name", "body").text)


def test_what_slips_into_the_page_is_refused_by_its_policy(browser: Chrome, small: Case) -> None:
    result, _ = small.report()
    browser.get(Path(result.path).absolute().as_uri())
    refused = browser.execute_async_script(
        "const [done] = arguments; const refused = new Set();"
        "document.addEventListener('securitypolicyviolation', (e) => refused.add(e.effectiveDirective));"
        "const image = new Image(); image.src = 'file:///none.png'; document.body.append(image);"
        "const style = document.createElement('style'); style.textContent = '* {}'; document.body.append(style);"
        "try { document.body.insertAdjacentHTML('beforeend', '<b onclick=window.hacked=1></b>'); } catch {}"
        "try { setTimeout('window.hacked = 1'); } catch {}"
        "setTimeout(() => done([...refused, typeof window.hacked].sort()), 200);"
    )

    assert refused == ["img-src", "require-trusted-types-for", "style-src-elem", "undefined"]


def test_long_names_stay_within_a_phone(
    browser: Chrome, visit: Callable[[str], None], make_case: MakeCase
) -> None:
    case = make_case({"a1": "W" * 9000, "a2": "W" * 9000, "b" * 9000: "b"}, {"q": "a1"}, scenario="s" * 90)
    case.answer([("q", "a2", 0.9), ("q", "b" * 9000, 0.5)])
    screen = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        visit(case.report()[0].path)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
        wide = "return [...document.querySelectorAll('.card *, figcaption, .candidate')]"
        wide += ".filter(each => each.getBoundingClientRect().width > 360).map(each => each.outerHTML)"
        assert browser.execute_script(wide) == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("page", ["report", "comparison"])
def test_it_is_readable_on_every_screen(
    browser: Chrome, visit: Callable[[str], None], drawn: Case, page: str, scheme: str, width: int
) -> None:
    path = (drawn.report() if page == "report" else drawn.compare(drawn.output / "other.csv"))[0].path
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        visit(path)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.execute_script(FAINT) == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_paper_has_no_controls(browser: Chrome, visit: Callable[[str], None], small: Case) -> None:
    result, _ = small.report()
    visit(result.path)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        controls = browser.find_elements("css selector", ".filters, .pager, .skip, .keys")
        assert [each.is_displayed() for each in controls] == [False] * 4
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_everything_has_a_name_and_headings_go_down_step_by_step(
    browser: Chrome, visit: Callable[[str], None], drawn: Case
) -> None:
    result, _ = drawn.report()
    visit(result.path)

    for found in (
        "img:not([alt]), img[alt='']",
        "*:not(label) > :is(input, select)",
        "svg[role=img]:not([aria-label])",
    ):
        assert browser.find_elements("css selector", f"main {found}") == []
    levels = [
        1,
        *(int(each.tag_name[1]) for each in browser.find_elements("css selector", "main :is(h2, h3)")),
    ]
    assert all(after - before <= 1 for before, after in pairwise(levels))
