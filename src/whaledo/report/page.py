"""Put a report's content into one HTML file that needs nothing else.

The file's own content-security policy allows the inline style sheet and the one script by their hashes, pictures
from `data:` addresses, and nothing more: whatever an id or a log might smuggle in, no browser runs or fetches it.
jinja2 escapes all text; data for the script lies in blocks of JSON, which a browser doesn't execute.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from whaledo import __version__
from whaledo.errors import Problems
from whaledo.report import charts
from whaledo.report.content import Content
from whaledo.report.record import RunSummary
from whaledo.report.text import embedded, short, visible
from whaledo.report.thumbnails import Thumbnail


def render(
    *,
    run: RunSummary | None,
    log: Sequence[str],
    problems: Problems,
    content: Content | None,
    thumbnails: Sequence[Thumbnail | None],
    warnings: Sequence[str],
) -> str:
    """Render the page.

    Args:
        run: what is known of the run.
        log: its last lines.
        problems: why there is no content, where the csv breaks the rules.
        content: what the csv says.
        thumbnails: the gallery's pictures, in its order; None for a placeholder.
        warnings: what is odd about what was read.
    """
    environment = Environment(
        loader=PackageLoader("whaledo.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": short, "visible": visible, "percent": _percent}
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    numbers = {"whaledo": __version__, "run": run and run.document, **(content.numbers() if content else {})}
    return environment.get_template("report.html").render(
        version=__version__,
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        run=run,
        log=log,
        problems=problems.to_json(),
        content=content,
        missing=sum(thumbnail is None for thumbnail in thumbnails),
        warnings=warnings,
        charts=charts,
        **_drawn(content),
        blocks=_blocks(content, thumbnails, numbers),
    )


def _drawn(content: Content | None) -> dict[str, Any]:
    """What charts and pictures need that the content has in another form."""
    if content is None or content.score is None:
        return {}
    paired = content.comparison and content.comparison.result
    differences = (paired.overall, *paired.scenarios) if paired else ()
    reach = [abs(x) for each in differences for x in (each.difference, *(each.confidence_interval or ()))]
    return {
        "scale": max([*reach, 0.02]),
        "points": [
            (each.mean_score, each.right, each.pairs)
            for each in (content.spread.reliability if content.spread else ())
        ],
        "places": {image: place for place, image in enumerate(content.gallery.images)},
    }


def policy(style: str, script: str) -> str:
    """The page's content-security policy."""
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101 - set above
    return environment.loader.get_source(environment, name)[0]


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _blocks(
    content: Content | None, thumbnails: Sequence[Thumbnail | None], numbers: dict[str, Any]
) -> dict[str, Markup]:
    """The blocks of JSON, by the id of their element."""
    documents: dict[str, Any] = {"numbers": numbers}
    if content is not None:
        documents["gallery"] = content.gallery.document
        documents["thumbnails"] = {
            "webp": [base64.b64encode(each.webp).decode() if each else "" for each in thumbnails],
            "width": [each.width if each else 1 for each in thumbnails],
            "height": [each.height if each else 1 for each in thumbnails],
        }
    return {name: Markup(embedded(document)) for name, document in documents.items()}  # noqa: S704 - see `embedded`


def _percent(share: float) -> str:
    return f"{share:.1%}"
