from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.environment.profiles import DEFAULT_PROFILE, pins, profiles, read_lock
from whaledo.errors import UsageError


def test_a_profile_is_there_when_its_lock_is(runtime: Any) -> None:
    (runtime.folder / "environment-orca.lock").write_text("")
    (runtime.folder / "environment-orca.in").write_text("")

    assert profiles() == ("orca", "tiny")


def test_a_lock_is_named_by_the_digest_of_its_bytes(runtime: Any) -> None:
    lock = read_lock("tiny")

    assert lock.sha256 == hashlib.sha256(runtime.lock.read_bytes()).hexdigest()
    assert lock.name == f"tiny-{lock.sha256[:12]}"


def test_an_unknown_profile_is_refused_with_those_there_are(runtime: Any) -> None:
    with pytest.raises(UsageError, match="`orca`") as caught:
        read_lock("orca")

    assert "tiny" in caught.value.hint


def test_the_default_profile_has_a_lock() -> None:
    assert DEFAULT_PROFILE in profiles()


NAMES = st.sampled_from(["numpy", "opencv-python-headless", "tomli", "a", "backports-zstd", "x2-y3"])
VERSIONS = st.lists(st.integers(0, 2030), min_size=1, max_size=4).map(lambda v: ".".join(map(str, v)))
MARKERS = st.sampled_from(["", " ; sys_platform == 'win32'", "  # why"])


@given(wanted=st.dictionaries(NAMES, VERSIONS | VERSIONS.map("{}.post1".format)), marker=MARKERS)
def test_pins_are_read_whatever_stands_behind_them(wanted: dict[str, str], marker: str) -> None:
    lock = "".join(f"{n}=={v}{marker} \\\n    --hash=sha256:{'0' * 64}\n" for n, v in wanted.items())

    assert pins(lock) == wanted


def test_an_extra_is_no_part_of_the_name() -> None:
    assert pins("uvicorn[standard]==0.30.1 \\\n    --hash=sha256:00\n") == {"uvicorn": "0.30.1"}
