"""The document of the doctor says what the doctor does."""

from __future__ import annotations

import re
from pathlib import Path

from whaledo.doctor.examination import PROBE
from whaledo.doctor.records import Finding
from whaledo.execution.records import Guarantee

TEXT = Path(__file__).resolve().parents[2].joinpath("docs/doctor.md").read_text("utf-8")


def test_every_attack_of_the_probe_is_listed_with_its_guarantee() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE))
    assert [*rows] == [name.value for name in Guarantee]
    attacks = re.findall(r'^@attack\("(\w+)", "([^"]+)"', PROBE.read_text("utf-8"), re.MULTILINE)
    assert len(attacks) > 20
    assert [what for guarantee, what in attacks if what not in rows[guarantee]] == []


def test_every_finding_is_explained() -> None:
    words = re.findall(r"^\| [✓~?✗-] \| ([\w ]+) \|", TEXT, re.MULTILINE)
    assert {word.replace(" ", "_") for word in words} == {finding.value for finding in Finding}
