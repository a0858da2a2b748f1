"""The charts, as inline SVG: pure functions from numbers to markup.

Colours and type come from the style sheet by class name, so that a chart follows light and dark; each chart says
in a `<title>` what it shows, for those who don't see it. Bars in tables are as wide as their cell and hold no
text; charts with axes have a size of their own and scale as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 480, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 28, 44
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """An SVG element; `class_` is its class, and an underscore in a name a hyphen."""
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-") if key != "viewBox" else key, value)
        for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{given}>{inside}</{name}>")  # noqa: S704 - its parts are escaped above


def bar(value: float, interval: Sequence[float] | None = None, *, kind: str = "", label: str = "") -> Markup:
    """A bar of a share between 0 and 1, with its interval as a line with two ends."""
    parts = [
        element("rect", class_="track", x=0, y=0, width="100%", height="100%", rx=3),
        element("rect", class_=f"bar {kind}".strip(), x=0, y=0, width=_percent(value), height="100%", rx=3),
    ]
    if interval is not None:
        low, high = map(_percent, interval)
        parts.append(element("line", class_="whisker", x1=low, x2=high, y1="50%", y2="50%"))
        parts += [element("line", class_="whisker", x1=x, x2=x, y1="22%", y2="78%") for x in (low, high)]
    return _drawing(label, parts, class_="meter", width="100%", height=14)


def difference_bar(value: float, interval: Sequence[float] | None, scale: float, label: str) -> Markup:
    """A bar from the middle to the right or, below 0, to the left; its half is `scale` wide."""
    middle = [0.5 + 0.5 * max(-1.0, min(1.0, x / scale)) for x in (0.0, value, *(interval or ()))]
    low, high = sorted(middle[:2])
    kind = "better" if value > 0 else "worse"
    parts = [
        element("rect", class_="track", x=0, y=0, width="100%", height="100%", rx=3),
        element("rect", class_=f"bar {kind}", x=_percent(low), width=_percent(high - low), height="100%"),
        element("line", class_="axis", x1="50%", x2="50%", y1=0, y2="100%"),
    ]
    if interval is not None:
        ends = [_percent(x) for x in middle[2:]]
        parts.append(element("line", class_="whisker", x1=ends[0], x2=ends[1], y1="50%", y2="50%"))
        parts += [element("line", class_="whisker", x1=x, x2=x, y1="22%", y2="78%") for x in ends]
    return _drawing(label, parts, class_="meter", width="100%", height=14)


def cmc(curves: Sequence[tuple[str, Sequence[float]]]) -> Markup:
    """The share of queries with a hit within the first 1, 2, 3 ... rows, for one or two submissions."""
    most = max(len(curve) for _, curve in curves)
    parts = [*_frame("rows looked at", "queries with a hit"), *_rank_ticks(most)]
    for number, (name, curve) in enumerate(curves):
        points = [(_x(_at(rank, most)), _y(share)) for rank, share in enumerate(curve, 1)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(element("polyline", class_=f"curve curve-{number}", points=line))
        parts += [
            element(
                "circle",
                element("title", f"{name}{share:.1%} within {rank}"),
                class_=f"dot curve-{number}",
                cx=f"{x:.1f}",
                cy=f"{y:.1f}",
                r=3.5,
            )
            for rank, ((x, y), share) in enumerate(zip(points, curve, strict=True), 1)
        ]
    first = curves[0][1]
    said = f"Share of queries with a hit: {first[0]:.1%} in the first row, {first[-1]:.1%} within {most}."
    return _drawing(said, parts, class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}")


def histogram(right: Sequence[int], wrong: Sequence[int]) -> Markup:
    """How the scores of right and wrong pairs spread, each as shares of its own number; bins over [0, 1]."""
    shares = [[count / max(sum(counts), 1) for count in counts] for counts in (right, wrong)]
    top = max(*shares[0], *shares[1], 1e-9)
    parts = [*_frame("score", "share of pairs", top), *_score_ticks()]
    step = 1 / len(right)
    for kind, heights, counts in (("wrong", shares[1], wrong), ("right", shares[0], right)):
        for number, (height, count) in enumerate(zip(heights, counts, strict=True)):
            if count:
                said = f"{kind}: {count:,} pairs with scores {number * step:.2f} to {(number + 1) * step:.2f}"
                y = _y(height / top)
                parts.append(
                    element(
                        "rect",
                        element("title", said),
                        class_=f"column {kind}",
                        x=f"{_x(number * step):.1f}",
                        y=f"{y:.1f}",
                        width=f"{_x(step) - _x(0) - 1:.1f}",
                        height=f"{_y(0) - y:.1f}",
                    )
                )
    said = f"Scores of {sum(right):,} right and {sum(wrong):,} wrong pairs."
    return _drawing(said, parts, class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}")


def reliability(bins: Iterable[tuple[float, float, int]]) -> Markup:
    """Mean score against the share of right pairs, a dot for each bin of scores; larger with more pairs."""
    found = [(score, share, count) for score, share, count in bins if count]
    most = max((count for _, _, count in found), default=1)
    parts = [*_frame("mean score", "share that is right"), *_score_ticks()]
    parts.append(element("line", class_="ideal", x1=_x(0), y1=_y(0), x2=_x(1), y2=_y(1)))
    line = " ".join(f"{_x(score):.1f},{_y(share):.1f}" for score, share, _ in found)
    parts.append(element("polyline", class_="curve curve-0", points=line))
    for score, share, count in found:
        said = f"scores around {score:.2f}: {share:.1%} of {count:,} pairs are right"
        radius = 3 + 6 * (count / most) ** 0.5
        dot = {"cx": f"{_x(score):.1f}", "cy": f"{_y(share):.1f}", "r": f"{radius:.1f}"}
        parts.append(element("circle", element("title", said), class_="dot curve-0", **dot))
    said = "Mean score against the share of right pairs; on the diagonal, a score is a probability."
    return _drawing(said, parts, class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}")


def _drawing(label: str, parts: Sequence[Markup], **attributes: object) -> Markup:
    title = [element("title", label)] if label else []
    meaning: dict[str, object] = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return element("svg", *title, *parts, **attributes, **meaning)


def _percent(share: float) -> str:
    return f"{100 * max(0.0, min(1.0, share)):.2f}%"


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _at(rank: int, most: int) -> float:
    return (rank - 1) / max(most - 1, 1)


def _text(said: str, x: float, y: float, anchor: str = "middle", **more: object) -> Markup:
    return element("text", said, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, **more)


def _frame(across: str, up: str, top: float = 1.0) -> list[Markup]:
    """The grid, its labels up the side, and what both axes mean."""
    parts = []
    for tick in _TICKS:
        y = _y(tick)
        parts.append(
            element("line", class_="grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}")
        )
        parts.append(_text(f"{tick * top:.0%}", _LEFT - 7, y + 4, "end"))
    parts.append(_text(across, _x(0.5), HEIGHT - 6, class_="label"))
    # Along the axis it would cost width, which a phone doesn't have.
    parts.append(_text(up, 0, 10, "start", class_="label"))
    return parts


def _rank_ticks(most: int) -> list[Markup]:
    ranks = [rank for rank in (1, 5, 10, 15, 20, 50, 100) if rank <= most]
    return [_text(str(rank), _x(_at(rank, most)), HEIGHT - _BOTTOM + 18) for rank in ranks]


def _score_ticks() -> list[Markup]:
    return [_text(f"{tick:g}", _x(tick), HEIGHT - _BOTTOM + 18) for tick in _TICKS]
