from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whaledo.environment.changes import Kind, changes

VERSIONS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["1", "2", "2+cpu", "2+cu130"]))


def test_each_difference_is_of_one_kind() -> None:
    found = changes({"a": "1", "b": "1", "t": "2"}, {"b": "2", "c": "1", "t": "2+cpu"})

    assert {change.name: change.kind for change in found} == {
        "a": Kind.REMOVED,
        "b": Kind.MOVED,
        "c": Kind.ADDED,
        "t": Kind.BUILD,
    }


@given(before=VERSIONS, after=VERSIONS)
def test_the_changes_lead_from_one_to_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    came = dict(before)
    for change in changes(before, after):
        assert came.pop(change.name, None) == change.before
        if change.after is not None:
            came[change.name] = change.after

    assert came == after
