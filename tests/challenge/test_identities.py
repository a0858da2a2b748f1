"""Labels that follow from identities."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from whaledo.challenge.identities import identities, identity_labels
from whaledo.challenge.load import load_challenge
from whaledo.errors import BadData


def test_labels_are_the_other_database_images_of_the_animal_in_order(data: Path) -> None:
    # one-a1: a1 itself is in the database and no answer. one-001 and NA: nobody knows either animal.
    assert identity_labels(load_challenge(data)) == (
        ("one-a1", "a2"),
        ("two-b1", "b2"),
        ("two-a2", "a1"),
    )


def test_the_real_labels_follow_from_the_real_identities(beluga: Path) -> None:
    with (beluga / "labels.csv").open(newline="") as file:
        labels = [tuple(row) for row in csv.reader(file)][1:]
    assert list(identity_labels(load_challenge(beluga))) == labels


def test_an_identity_that_reads_like_a_missing_value_is_a_name(data: Path) -> None:
    text = (data / "metadata.csv").read_text()
    (data / "metadata.csv").write_text(text.replace(",,e3", ",NA,e3"))
    challenge = load_challenge(data)
    assert identities(challenge)["001"] == "NA"
    assert ("one-001", "NA") in identity_labels(challenge)


def test_without_an_identity_column_there_is_a_way_out(data: Path) -> None:
    text = (data / "metadata.csv").read_text()
    (data / "metadata.csv").write_text(text.replace("whale_id", "colour"))
    with pytest.raises(BadData, match="there is no column whale_id or identity") as refused:
        identity_labels(load_challenge(data))
    assert "labels file" in refused.value.hint
    assert "identity_column" in refused.value.hint
