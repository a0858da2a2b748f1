"""Small challenges, submissions for them, reports of those, and a browser to read them with."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import PIL.Image
import pytest

from whaledo.challenge.demo.schedule import Plan
from whaledo.challenge.demo.write import write_demo
from whaledo.challenge.load import load_challenge
from whaledo.report.comparison import ComparisonRequest, ComparisonResult, write_comparison
from whaledo.report.write import ReportRequest, ReportResult, write_report

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

HEADER = "query_id,database_image_id,score"

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
"""How Chromium is started: without a window, and without asking for anything of its own."""

HOSTILE = (
    "<script>window.hacked=1</script>",
    '"onmouseover="window.hacked=1"x="',
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\u05d0\u05d1\u05d2 (1)",
    "x" * 10_000,
)
"""What somebody may call a photograph, an animal or a query."""


class Page(HTMLParser):
    """A report, parsed.

    Attributes:
        html: the file.
        elements: every element's name with its attributes, in order.
        text: all text outside of scripts and styles.
        scripts: the text of each script, with its element's attributes.
        style: the text of the style sheet.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.style = ""
        self._raw = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._raw = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        """Note where a script or style ends."""
        if tag == self._raw:
            self._raw = ""

    def handle_data(self, data: str) -> None:
        """Note text by where it stands."""
        if self._raw == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._raw == "style":
            self.style += data
        else:
            self.text += data

    def block(self, name: str) -> Any:
        """One of the page's documents of JSON."""
        texts = [text for attributes, text in self.scripts if attributes.get("id") == f"{name}-data"]
        assert len(texts) == 1
        return json.loads(texts[0])

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements with the names of their attributes: all that a parser could be tricked into adding to."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]


@dataclass(frozen=True)
class Case:
    """A challenge and a submission for it.

    Attributes:
        data: the data folder.
        output: where the submission.csv lies.
    """

    data: Path
    output: Path

    def answer(self, rows: Sequence[tuple[str, str, float]], name: str = "submission.csv") -> Path:
        """Write a submission.csv; quotes in ids are doubled, as CSV wants it."""
        path = self.output / name
        lines = [f"{_quoted(query)},{_quoted(image)},{score}" for query, image, score in rows]
        path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
        return path

    def report(self, labels: str | None = None) -> tuple[ReportResult, Page]:
        """Write the report and read it back."""
        result = write_report(ReportRequest(str(self.output), str(self.data), labels))
        return result, Page(Path(result.path).read_text("utf-8"))

    def compare(self, other: Path, labels: str | None = None) -> tuple[ComparisonResult, Page]:
        """Write a page on submission.csv, as A, and another; and read it back."""
        csv, page = self.output / "submission.csv", self.output / "comparison.html"
        request = ComparisonRequest(str(csv), str(other), str(page), str(self.data), labels)
        result = write_comparison(request)
        return result, Page(page.read_text("utf-8"))


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


class MakeCase(Protocol):
    """Writes a challenge of one scenario; see `make_case`."""

    def __call__(
        self,
        animals: Mapping[str, str],
        queries: Mapping[str, str],
        *,
        scenario: str = "only",
        has_identities: bool = True,
    ) -> Case: ...


@dataclass
class _Cases:
    folder: Path
    made: list[Case] = field(default_factory=list)

    def __call__(
        self,
        animals: Mapping[str, str],
        queries: Mapping[str, str],
        *,
        scenario: str = "only",
        has_identities: bool = True,
    ) -> Case:
        case = Case(self.folder / f"data{len(self.made)}", self.folder / f"out{len(self.made)}")
        self.made.append(case)
        for folder in ("images", "queries", "databases"):
            (case.data / folder).mkdir(parents=True)
        case.output.mkdir()
        rows = ["image_id,path,height,width,viewpoint,date" + (",whale_id" if has_identities else "")]
        for number, (image, animal) in enumerate(animals.items()):
            colour = (17 * number % 256, 120, 90)
            PIL.Image.new("RGB", (20, 40), colour).save(case.data / f"images/{number}.png")
            identity = f",{_quoted(animal)}" if has_identities else ""
            rows.append(f"{_quoted(image)},images/{number}.png,40,20,top,2019-08-0{number % 9 + 1}{identity}")
        asked = [f"{_quoted(query)},{_quoted(image)}" for query, image in queries.items()]
        for name, lines in {
            "metadata.csv": rows,
            f"queries/{scenario}.csv": ["query_id,query_image_id", *asked],
            f"databases/{scenario}.txt": list(animals),
        }.items():
            (case.data / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
        return case


@pytest.fixture
def make_case(tmp_path: Path) -> MakeCase:
    """A function that writes a challenge: image id to animal, query id to image id; each photograph 20 x 40."""
    return _Cases(tmp_path)


@pytest.fixture
def small(make_case: MakeCase) -> Case:
    """Five photographs of two animals, two queries: one is answered right in the first row, the other isn't."""
    case = make_case(
        {"a1": "ada", "a2": "ada", "a3": "ada", "b1": "bo", "b2": "bo"},
        {"q1": "a1", "q2": "b1"},
    )
    case.answer([("q1", "a2", 0.9), ("q1", "b1", 0.2), ("q2", "a3", 0.8), ("q2", "b2", 0.4)])
    return case


@pytest.fixture
def hostile(make_case: MakeCase) -> Case:
    """A challenge in which everything that has a name has a hostile one."""
    return _named(make_case, HOSTILE, "'a' & b")


@pytest.fixture
def tame(make_case: MakeCase) -> Case:
    """The same challenge with harmless names."""
    return _named(make_case, [f"tame{number}" for number in range(len(HOSTILE))], "tame")


def _named(make_case: MakeCase, names: Sequence[str], scenario: str) -> Case:
    animals = {f"{name}{side}": name for name in names for side in "lr"}
    case = make_case(animals, {f"{name}?": f"{name}l" for name in names}, scenario=scenario)
    toml = f"name = {json.dumps(names[0])}\n"
    (case.data / "challenge.toml").write_text(toml)
    case.answer(
        [
            (f"{name}?", image, score)
            for number, name in enumerate(names)
            for image, score in ((f"{names[number - 1]}r", 0.9), (f"{name}r", 0.5))
        ]
    )
    return case


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A small drawn challenge; its databases as they are listed in submission.csv, half of that in other.csv."""
    data = tmp_path_factory.mktemp("drawn") / "data"
    write_demo(data, plan=Plan(images=40, whales=10, singletons=2))
    case = Case(data, tmp_path_factory.mktemp("output"))
    case.answer(first_of_each(data))
    case.answer(first_of_each(data)[::-1][: len(first_of_each(data)) // 2], "other.csv")
    return case


def first_of_each(data: Path, rows: int = 8) -> list[tuple[str, str, float]]:
    """The first images of each query's database, the query's own left out, with falling scores."""
    return [
        (query.query_id, image, round(0.9 - 0.1 * place, 2))
        for scenario in load_challenge(data).scenarios
        for query in scenario.queries
        for place, image in enumerate(
            [image for image in scenario.database if image != query.image_id][:rows]
        )
    ]


@pytest.fixture
def photographed(beluga: Path, tmp_path: Path) -> Case:
    """The real photographs, ranked as their databases are listed."""
    case = Case(beluga, tmp_path)
    case.answer(first_of_each(beluga, 4))
    return case


def _missing(reason: str) -> NoReturn:
    if os.environ.get("WHALEDO_REQUIRE_ENGINES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
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
