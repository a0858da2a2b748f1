"""Read what a report is about: a submission.csv, held against the right answers where they are known.

A report judges if it can. Where neither labels nor identities say what is right, it shows the rankings as they
are; the rules of the challenge hold either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Challenge
from whaledo.challenge.problems import counted
from whaledo.challenge.truth import labels_of
from whaledo.errors import BadData, BadRankings, Problems
from whaledo.scoring.checks import check_answers
from whaledo.scoring.evaluate import Judged, Truth, judge, read_truth
from whaledo.scoring.rankings import Rankings, read_rankings


@dataclass(frozen=True, slots=True)
class Answers:
    """A submission.csv, read.

    Attributes:
        rankings: its rows.
        problems: warnings about it.
        judged: None where nothing says what is right.
    """

    rankings: Rankings
    problems: Problems
    judged: Judged | None


def read_right_answers(data: Path, labels: Path | None) -> tuple[Challenge, Truth | None, str]:
    """Read the data folder, and the right answers if anything tells them.

    Returns:
        The challenge; the right answers, or None; and why there are none, as a sentence.

    Raises:
        BadData: the folder or the labels that were given can't be used.
    """
    if labels is not None:
        truth = read_truth(labels, data)
        if truth.challenge is not None:
            return truth.challenge, truth, ""
    challenge = load_challenge(data)
    if challenge.identity_column is None:
        return challenge, None, "Neither labels nor identities are given: nothing is judged."
    try:
        return challenge, Truth(labels_of(challenge), challenge), ""
    except BadData:
        return challenge, None, "No query has another image of its animal in its database: nothing is judged."


def read_answers(path: Path, challenge: Challenge, truth: Truth | None) -> Answers:
    """Read a submission.csv, hold it to the rules, and judge it if that is possible.

    Raises:
        BadRankings: with every problem of the file at once.
    """
    if truth is not None:
        judged = judge(path, truth)
        return Answers(judged.rankings, judged.problems, judged)
    problems = Problems()
    rankings = read_rankings(path, problems)
    if rankings is not None:
        problems.extend(check_answers(rankings, challenge))
    if rankings is None or problems.errors:
        said = f"{path} breaks the rules: {counted(problems.errors, 'problem')}"
        raise BadRankings(said, problems=problems)
    return Answers(rankings, problems, None)
