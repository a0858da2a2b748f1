"""`whaledo score` and `whaledo compare`: what a person reads, what a program reads, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.score import compare, score

HEADER = "query_id,database_image_id,score"
METADATA = """\
image_id,path,viewpoint,date,whale_id,encounter_id
a,images/a.jpg,top,2017-08-07,ada,e1
b,images/b.jpg,top,2019-08-07,ada,e2
c,images/c.jpg,left,2017-08-07,bo,e3
d,images/d.jpg,top,2017-08-09,bo,e4
"""
GOOD = f"{HEADER}\nq1,b,0.9\nq1,c,0.5\nq2,b,0.9\nq2,d,0.5\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a challenge in `challenge` and files to score."""
    for name, text in {
        "challenge/metadata.csv": METADATA,
        "challenge/queries/only.csv": "query_id,query_image_id\nq1,a\nq2,c\n",
        "challenge/databases/only.txt": "b\nc\nd\n",
        "labels.csv": "query_id,database_image_id\nq1,b\nq2,d\n",
        "good.csv": GOOD,
        "twice.csv": GOOD + GOOD.removeprefix(HEADER + "\n"),
        "better.csv": f"{HEADER}\nq1,b,0.9\nq2,d,0.9\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(score)
    app.command()(compare)
    return CliRunner().invoke(app, arguments)


def test_a_score_comes_first_and_then_where_it_comes_from() -> None:
    result = run("score", "good.csv", "--data", "challenge", "--official")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "mAP@20  0.7500\n"
        "  95 % interval 0.0000 to 1.0000, resampling 2 individuals\n"
        "  the competition's published scorer: 0.7500\n"
        "  2 scored queries\n"
        "  first hit: 50.0% within 1, 100.0% within 5, 100.0% within 20\n"
        "\n"
        "  scenario  queries  mAP@20\n"
        "  only            2  0.7500  ██████████████████\n"
        "\n"
        "  database images of the animal  queries  mAP@20\n"
        "  1                                    2  0.7500  ██████████████████\n"
        "\n"
        "  viewpoint pair  queries  mAP@20\n"
        "  top → top             1  1.0000  ████████████████████████\n"
        "  left → top            1  0.5000  ████████████\n"
        "\n"
        "  time gap    queries  mAP@20\n"
        "  same year         1  0.5000  ████████████\n"
        "  other year        1  1.0000  ████████████████████████\n"
    )


def test_a_refusal_lists_every_problem_and_what_the_published_scorer_would_have_said() -> None:
    result = run("score", "twice.csv", "labels.csv", "--official")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "✗ twice.csv breaks the rules: 4 problems"
    assert "twice.csv:6: query 'q1' has image 'b' again; line 2 has it already" in result.stderr
    assert result.stdout == "  the competition's published scorer: 1.5000\n"


def test_json_is_one_document() -> None:
    result = run("score", "good.csv", "labels.csv", "--json")
    document = json.loads(result.stdout)

    assert (document["mean_average_precision"], document["official_mean_average_precision"]) == (0.75, None)
    assert "mAP@20  0.7500" in result.stderr


def test_json_of_a_refusal_has_the_problems_and_the_published_answer() -> None:
    result = run("score", "twice.csv", "labels.csv", "--json", "--official")
    document = json.loads(result.stdout)

    assert result.exit_code == 1
    assert document["official_mean_average_precision"] == 1.5
    (kind,) = document["error"]["problems"]
    assert (kind["code"], kind["total"], kind["shown"][0]["line"]) == ("repeated_row", 4, 6)


def test_warnings_are_said_and_dont_refuse(place: Path) -> None:
    (place / "half.csv").write_text(f"{HEADER}\nq1,b,0.9\n")
    result = run("score", "half.csv", "labels.csv")

    assert result.exit_code == 0
    assert result.stdout.startswith("mAP@20  0.5000\n")
    assert "2 scored queries, 1 of them without an answer" in result.stdout
    assert result.stderr == "! of 2 scored queries, these have no rows and count 0: 1 query ('q2')\n"


def test_the_folder_data_is_taken_if_nothing_else_is_said(place: Path) -> None:
    nothing = run("score", "good.csv")
    (place / "challenge").rename(place / "data")

    assert nothing.exit_code == 2
    assert "give a labels file (query_id,database_image_id), or --data" in nothing.stderr
    assert run("score", "good.csv").stdout.startswith("mAP@20  0.7500\n")


def test_a_metadata_file_stands_for_its_folder() -> None:
    assert "resampling 2 individuals" in run("score", "good.csv", "challenge/metadata.csv").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("good.csv", "missing.csv"), 1, "missing.csv: the file isn't there"),
        (("missing.csv", "labels.csv"), 1, "missing.csv: the file isn't there"),
        (("good.csv", "--data", "nowhere"), 1, "there is no data folder nowhere"),
        (("labels.csv", "labels.csv"), 1, "labels.csv:1: the first line names"),
    ],
)
def test_a_mistake_gets_a_sentence_and_no_traceback(
    arguments: tuple[str, ...], status: int, said: str
) -> None:
    result = run("score", *arguments)

    assert result.exit_code == status
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_hostile_ids_cant_steer_the_terminal(place: Path) -> None:
    name = "\x1b]0;owned\x07\u202e"
    (place / "hostile.csv").write_text(f"{HEADER}\nq1,b,0.9\n{name},b,0.9\n")
    result = run("score", "hostile.csv", "labels.csv")

    assert result.exit_code == 0
    assert "\\x1b]0;owned\\x07\\u202e" in result.stderr
    assert not set("\x1b\x07\u202e") & set(result.output)


def test_a_comparison_ends_in_a_plain_sentence() -> None:
    result = run("compare", "better.csv", "good.csv", "--data", "challenge")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "no difference that this data can show (+0.250, 95 % interval -1.000 to 1.000)\n"
        "  of 2 queries, A answers 1 better, 0 worse, 1 equally well; resampling individuals\n"
        "  A: better.csv\n"
        "  B: good.csv\n"
        "\n"
        "       queries       A       B    A - B  95 % interval\n"
        "  all        2  1.0000  0.7500  +0.2500  -1.0000 to +1.0000\n"
        "\n"
        "  most changed:\n"
        "  query       A       B    A - B\n"
        "  q2     1.0000  0.5000  +0.5000\n"
    )


def test_a_comparison_can_be_looked_at(place: Path) -> None:
    result = run(
        "compare", "better.csv", "good.csv", "--data", "challenge", "--report", "page.html", "--json"
    )

    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["better"], document["report"]["path"]) == (1, "page.html")
    assert document["report"]["size_bytes"] == (place / "page.html").stat().st_size
    assert "page.html  " in result.stderr
    assert "4 of 4 photographs are missing or broken" in result.stderr


def test_a_comparison_never_overwrites_what_somebody_wrote(place: Path) -> None:
    result = run("compare", "better.csv", "good.csv", "--data", "challenge", "--report", "labels.csv")

    assert result.exit_code == 2
    assert "labels.csv is there already, and whaledo didn't make it" in result.stderr
    assert (place / "labels.csv").read_text().startswith("query_id")


def test_a_comparison_as_json_is_one_document() -> None:
    document = json.loads(run("compare", "better.csv", "good.csv", "labels.csv", "--json").stdout)

    assert document["overall"]["difference"] == 0.25
    assert document["changed"] == [{"query_id": "q2", "a": 1.0, "b": 0.5}]


def test_a_score_imports_no_more_than_it_needs() -> None:
    code = (
        "import sys, typer; from whaledo.cli.score import score; app = typer.Typer(); app.command()(score);"
        "app(['good.csv', 'labels.csv'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()

    assert "pyarrow.csv" in loaded
    slow = {"pandas", "pyarrow.compute", "numpy.ma", "rich", "jinja2", "PIL", "concurrent.futures"}
    assert slow.isdisjoint(loaded)
