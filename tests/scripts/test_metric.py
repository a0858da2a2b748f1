"""`scripts/metric.py`, under the name and with the answer that competitors know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "metric.py"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a submission, its labels, and a challenge that has them too."""
    for name, text in {
        "submission.csv": "query_id,database_image_id,score\nq1,c,0.9\nq1,b,0.5\n",
        "labels.csv": "query_id,database_image_id\nq1,b\nq2,b\n",
        "data/metadata.csv": "image_id,path,whale_id\na,images/a.jpg,ada\nb,images/b.jpg,ada\nc,images/c.jpg,bo\n",
        "data/queries/only.csv": "query_id,query_image_id\nq1,a\n",
        "data/databases/only.txt": "b\nc\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(*arguments: str | Path, isolated: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(["-S"] if isolated else []), SCRIPT, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_only_the_score_is_printed(place: Path) -> None:
    done = run(place / "submission.csv", place / "labels.csv")

    assert (done.returncode, done.stdout) == (0, '{"mean_average_precision": 0.25}\n')
    assert "count 0: 1 query ('q2')" in done.stderr


def test_a_metadata_file_is_taken_with_the_folder_around_it(place: Path) -> None:
    done = run(place / "submission.csv", place / "data" / "metadata.csv")

    assert (done.returncode, done.stdout, done.stderr) == (0, '{"mean_average_precision": 0.5}\n', "")


def test_help_says_what_to_give() -> None:
    done = run("--help")

    assert done.returncode == 0
    assert "SUBMISSION LABELS" in done.stdout


def test_a_bad_file_gets_sentences_and_exit_status_1(place: Path) -> None:
    (place / "submission.csv").write_text("query_id,database_image_id,score\nq1,c,nan\n,b,1\n")
    done = run(place / "submission.csv", place / "labels.csv")

    assert (done.returncode, done.stdout) == (1, "")
    assert "breaks the rules: 2 problems" in done.stderr
    assert "submission.csv:2: the score 'nan' isn't a finite number" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_whaledo_it_says_how_to_get_it(place: Path) -> None:
    done = run(place / "submission.csv", place / "labels.csv", isolated=True)

    assert done.returncode == 1
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr
