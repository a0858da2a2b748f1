"""The page in a real browser, opened from disk: it works, it runs nothing of others, and it asks for nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from tests.report.conftest import Case

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,900",
)

SHOWN = "return [...document.querySelectorAll('#queries article')]"


def _missing(reason: str) -> NoReturn:
    if os.environ.get("WHALEDO_REQUIRE_ENGINES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Chromium, that keeps a log of its console and of all requests."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        _missing("needs a browser: there is no `chromium` with `chromedriver` on the PATH")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        _missing("needs the Python package selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    yield started
    started.quit()


@pytest.fixture
def visit(browser: Chrome) -> Iterator[Callable[[str], None]]:
    """Open a file; at the end, what the browser complained of and what it asked for is looked at."""
    opened: list[str] = []

    def visit(path: str) -> None:
        opened.append(Path(path).absolute().as_uri())
        browser.get(opened[-1])

    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)  # type: ignore[no-untyped-call]  # selenium leaves it out
    yield visit
    complaints = browser.get_log("browser")  # type: ignore[no-untyped-call]  # as above
    assert complaints == []
    events = [json.loads(each["message"])["message"] for each in browser.get_log("performance")]  # type: ignore[no-untyped-call]  # as above
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith("data:")} == set(opened)
    assert browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)") == []
    assert browser.execute_script("return typeof window.hacked") == "undefined"


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
