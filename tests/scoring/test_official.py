"""The published scorer's answer is worked out as pandas and scikit-learn give it, errors included."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score  # type: ignore[import-untyped]  # it has no types

from whaledo.challenge.truth import read_labels
from whaledo.errors import BadData
from whaledo.scoring.official import Official, official_score

RIGHT = "query_id,database_image_id,score"


def in_pandas(submission: Path, labels: Path) -> Official:
    """The published rules, by the libraries that the published scorer uses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = _mean_in_pandas(submission, labels)
    except Exception as error:
        return Official(None, f"{type(error).__name__}: {str(error).strip()}")
    if not isinstance(value, float):
        return Official(None, "TypeError: Object of type Series is not JSON serializable")
    return (
        Official(None, "NaN: no query of the file is labelled") if np.isnan(value) else Official(float(value))
    )


def _mean_in_pandas(submission: Path, labels: Path) -> Any:
    rows = pd.read_csv(submission, index_col="query_id")
    right = pd.read_csv(labels, index_col="query_id")
    if not rows["score"].between(0.0, 1.0).all():
        raise ValueError("Scores must be in range [0, 1].")
    if [*rows.columns] != ["database_image_id", "score"]:
        wanted = ["database_image_id", "score"]
        raise ValueError(f"Columns of submission must be named '{wanted}', got {[*rows.columns]}.")
    joined = rows.merge(right.assign(hit=1.0), how="left", on=["query_id", "database_image_id"])
    joined["hit"] = joined["hit"].fillna(0.0)
    precision = joined.groupby("query_id").apply(
        lambda own: (
            average_precision_score(own["hit"].values, own["score"].values) if own["hit"].sum() else 0.0
        )
    )
    hits = joined["hit"].groupby("query_id").sum().astype("int64")
    return (precision * hits / right.groupby("query_id").size().clip(upper=20)).mean()


def ours(submission: Path, labels: Path) -> Official:
    return official_score(submission, read_labels(labels))


POOLS = [
    ["q1", "q2", "é", "a b"],
    ["1", "2", "01", "10"],
    ["1.0", "2", "1.5", "1e1"],
    ["True", "false", "TRUE"],
    ["NA", "q1", "nan", "None"],
    ["1", "NA", "2"],
    ["True", "NA"],
    ["1", "x"],
    [" 1", "1 ", "2"],
    ["18446744073709551615", "1", "-1", "99999999999999999999"],
    ["inf", "1", "-Infinity"],
]
SCORES = [
    *[["0.5", "0.25", "1", "0", ".5", "5e-1", "-0.0", "0.30000000000000004", "0.3"]] * 6,
    *[
        ["1", "0"],
        ["True", "False"],
        ["0.5", ""],
        ["0.5", "x"],
        ["0.5", "nan"],
        ["0.5", "1.5"],
        [" 0.5", "1 "],
    ],
]
HEADERS = [
    *[RIGHT] * 9,
    *["query_id,score,database_image_id", "database_image_id,query_id,score", "query_id,database_image_id"],
    *["query_id,database_image_id,score,x", ",query_id,database_image_id,score"],
]


@st.composite
def two_files(draw: st.DrawFn) -> tuple[str, str]:
    """A submission and labels, whose columns pandas may read as any type."""
    queries, images = draw(st.sampled_from(POOLS)), draw(st.sampled_from(POOLS))
    header = draw(st.sampled_from(HEADERS))
    scores = draw(st.sampled_from(SCORES))
    value = {
        "query_id": st.sampled_from(queries),
        "database_image_id": st.sampled_from(images),
        "score": st.sampled_from(scores),
    }
    row = st.tuples(*(value.get(name, st.just("7")) for name in header.split(","))).map(",".join)
    rows = st.lists(row | st.sampled_from(["", "  "]) if draw(st.booleans()) else row, max_size=40)
    lines = [line for line in draw(rows) if header == RIGHT or line.strip()]
    pair = st.tuples(
        st.sampled_from(draw(st.sampled_from([queries, draw(st.sampled_from(POOLS))]))),
        st.sampled_from(draw(st.sampled_from([images, draw(st.sampled_from(POOLS))]))),
    )
    pairs = draw(st.lists(pair, min_size=1, max_size=20, unique=True))
    return "\n".join([header, *lines, ""]), "\n".join(
        ["query_id,database_image_id", *(",".join(pair) for pair in pairs), ""]
    )


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [
        ("1,a,0.5\n1,b,0.25", "1,a\n01,a\n1,c"),
        ("NA,a,0.5\nnan,b,0.5", "NA,a"),
        ("NA,a,0.5\nq1,b,0.5", "NA,a\nq1,b\nq1,c"),
        ("1,a,0.5\n2,a,0.25", "1.0,a\n2.5,a"),
        ("9007199254740993,a,0.5", "9007199254740992,a\n1.5,b"),
        ("True,a,0.5", "1,a\n2,b"),
    ],
    ids=["1 is 01", "nobody", "nobody and somebody", "1 is 1.0", "too long for a float", "True is 1"],
)
def test_ids_that_pandas_confuses_are_confused_in_the_same_way(tmp_path: Path, rows: str, pairs: str) -> None:
    submission, labels = tmp_path / "submission.csv", tmp_path / "labels.csv"
    submission.write_text(f"{RIGHT}\n{rows}\n")
    labels.write_text(f"query_id,database_image_id\n{pairs}\n")

    assert ours(submission, labels) == in_pandas(submission, labels)


@settings(deadline=None, max_examples=120)
@given(files=two_files())
def test_whatever_the_types_the_answer_is_that_of_pandas(
    tmp_path_factory: pytest.TempPathFactory, files: tuple[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    submission, labels = folder / "submission.csv", folder / "labels.csv"
    submission.write_text(files[0])
    labels.write_text(files[1])

    assert ours(submission, labels) == in_pandas(submission, labels)


@pytest.mark.parametrize("seed", range(3))
def test_a_large_file_with_extra_missing_and_repeated_queries_gives_the_same_last_bit(
    tmp_path: Path, seed: int
) -> None:
    draws = np.random.default_rng(seed)
    rows = [
        (f"q{query}", f"i{image}", repr(score))
        for query in draws.integers(0, 150, 2000).tolist()
        for image, score in [(int(draws.integers(0, 12)), float(draws.random()))]
    ]
    pairs = {(f"q{query}", f"i{image}") for query, image in draws.integers(0, [180, 12], (600, 2)).tolist()}
    submission, labels = tmp_path / "submission.csv", tmp_path / "labels.csv"
    submission.write_text("\n".join([RIGHT, *(",".join(row) for row in rows)]))
    labels.write_text("\n".join(["query_id,database_image_id", *(",".join(pair) for pair in sorted(pairs))]))

    answer = ours(submission, labels)
    assert answer.value is not None
    assert answer == in_pandas(submission, labels)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        f"{RIGHT}\n",
        f"{RIGHT}\nq1,a\nq2,c,0.5\n",
        f"{RIGHT}\nq1,a,0.5\n\nq2,c,0.5,7,8\n",
        f"{RIGHT}\nq1,a,0.5,7\n",
        f'{RIGHT}\nq1,a,0.5\nq1,"b,0.5\nq2,c,1\n',
        "query_id;database_image_id;score\nq1;a;0.5\n",
        "\ufeff" + RIGHT + "\nq1,a,0.5\n",
        f"{RIGHT}\r\nq1,a,0.5\r\nq1,a\0,0.25\r\n",
    ],
)
def test_a_broken_file_is_refused_in_the_same_words(tmp_path: Path, text: str) -> None:
    submission, labels = tmp_path / "submission.csv", tmp_path / "labels.csv"
    submission.write_text(text, newline="")
    labels.write_text("query_id,database_image_id\nq1,a\nq1,b\nq2,c\n")

    assert ours(submission, labels) == in_pandas(submission, labels)


@pytest.mark.parametrize("content", [f"{RIGHT}\nq1,a\xff,1\n".encode("latin-1"), RIGHT.encode("utf-16")])
def test_undecodable_text_is_refused_in_the_same_words(tmp_path: Path, content: bytes) -> None:
    submission, labels = tmp_path / "submission.csv", tmp_path / "labels.csv"
    submission.write_bytes(content)
    labels.write_text("query_id,database_image_id\nq1,a\n")

    assert ours(submission, labels) == in_pandas(submission, labels)


def test_labels_with_a_score_column_break_the_published_scorer_as_soon_as_there_is_a_hit(
    tmp_path: Path,
) -> None:
    submission, labels = tmp_path / "submission.csv", tmp_path / "labels.csv"
    labels.write_text("query_id,database_image_id,score\nq1,a,1\n")
    for image, refusal in (("a", "KeyError: 'score'"), ("b", None)):
        submission.write_text(f"{RIGHT}\nq1,{image},1\n")

        answer = ours(submission, labels)
        assert answer.refusal == refusal
        assert answer == in_pandas(submission, labels)


def test_ids_of_ten_thousand_digits_are_no_trouble(tmp_path: Path) -> None:
    submission, labels = tmp_path / "submission.csv", tmp_path / "labels.csv"
    submission.write_text(f"{RIGHT}\n{'1' * 10_000},a,1\n")
    labels.write_text(f"query_id,database_image_id\n{'1' * 10_000},a\n")

    assert ours(submission, labels) == Official(1.0)


def test_labels_that_cant_be_read_are_nobodys_answer(tmp_path: Path) -> None:
    with pytest.raises(BadData):
        ours(tmp_path / "submission.csv", tmp_path / "labels.csv")
