"""Put a report's or a comparison's content into one HTML file that needs nothing else.

The file's own content-security policy allows the inline style sheet and the one script by their hashes, pictures
from `data:` addresses, and nothing more: whatever an id or a log might smuggle in, no browser runs or fetches it.
jinja2 escapes all text; data for the script lies in blocks of JSON, which a browser doesn't execute.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from whaledo import __version__
from whaledo.errors import MachineError, Problems
from whaledo.report import charts
from whaledo.report.gallery import Gallery
from whaledo.report.text import embedded, short, visible
from whaledo.report.thumbnails import Thumbnail

if TYPE_CHECKING:
    from whaledo.report.comparison import Comparison
    from whaledo.report.content import Content
    from whaledo.report.record import RunSummary

LEAST_REACH = 0.02
"""Half the width of a chart of differences, at least: less would make a mountain of nothing."""


def render_report(
    *,
    run: RunSummary | None,
    log: Sequence[str],
    problems: Problems,
    content: Content | None,
    thumbnails: Sequence[Thumbnail | None],
    warnings: Sequence[str],
) -> str:
    """Render the page of one submission.

    Args:
        run: what is known of the run.
        log: its last lines.
        problems: why there is no content, where the csv breaks the rules.
        content: what the csv says.
        thumbnails: the gallery's pictures, in its order; None for a placeholder.
        warnings: what is odd about what was read.
    """
    spread = content.spread if content else None
    return _rendered(
        "report.html",
        content.gallery if content else None,
        thumbnails,
        {"run": run and run.document, **(content.numbers() if content else {})},
        run=run,
        log=log,
        problems=problems.to_json(),
        content=content,
        judged=bool(content and content.score),
        warnings=warnings,
        points=[(each.mean_score, each.right, each.pairs) for each in (spread.reliability if spread else ())],
        places={image: place for place, image in enumerate(content.gallery.images)} if content else {},
    )


def render_comparison(comparison: Comparison, thumbnails: Sequence[Thumbnail | None]) -> str:
    """Render the page of two submissions; `thumbnails` as for `render_report`."""
    paired = comparison.paired
    differences = (paired.overall, *paired.scenarios)
    reach = [abs(x) for each in differences for x in (each.difference, *(each.confidence_interval or ()))]
    return _rendered(
        "comparison.html",
        comparison.gallery,
        thumbnails,
        comparison.numbers(),
        comparison=comparison,
        content=comparison,
        judged=True,
        warnings=comparison.warnings,
        scale=max([*reach, LEAST_REACH]),
    )


def write_page(path: Path, html: str) -> int:
    """Write a page whole or not at all; how many bytes it has.

    Raises:
        MachineError: it can't be written.
    """
    content = html.encode()
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            made = Path(file.name)
            try:
                file.write(content)
                file.close()
                made.chmod(0o644)
                made.replace(path)
            except BaseException:
                made.unlink(missing_ok=True)
                raise
    except OSError as error:
        said = f"{path} can't be written: {error.strerror}"
        raise MachineError(said, hint="make the folder writable, and some 20 MB free") from error
    return len(content)


def _rendered(
    template: str,
    gallery: Gallery | None,
    thumbnails: Sequence[Thumbnail | None],
    numbers: Mapping[str, Any],
    **context: Any,
) -> str:
    environment = Environment(
        loader=PackageLoader("whaledo.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": short, "visible": visible, "percent": _percent}
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    return environment.get_template(template).render(
        version=__version__,
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        missing=sum(thumbnail is None for thumbnail in thumbnails),
        charts=charts,
        blocks=_blocks(gallery, thumbnails, {"whaledo": __version__, **numbers}),
        **context,
    )


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
    gallery: Gallery | None, thumbnails: Sequence[Thumbnail | None], numbers: Mapping[str, Any]
) -> dict[str, Markup]:
    """The blocks of JSON, by the id of their element."""
    documents: dict[str, Any] = {"numbers": numbers}
    if gallery is not None:
        documents["gallery"] = gallery.document
        documents["thumbnails"] = {
            "webp": [base64.b64encode(each.webp).decode() if each else "" for each in thumbnails],
            "width": [each.width if each else 1 for each in thumbnails],
            "height": [each.height if each else 1 for each in thumbnails],
        }
    return {name: Markup(embedded(document)) for name, document in documents.items()}  # noqa: S704 - see `embedded`


def _percent(share: float) -> str:
    return f"{share:.1%}"
