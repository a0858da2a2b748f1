"""Where the public beluga data lies, what it may be used for, and whom to thank: all in this one place.

The publisher, LILA BC, gives no checksums. A SHA-256 that comes from anywhere else would prove only that two
copies agree, so none stands here: what was got is recorded, and said to be unverified unless a person gives one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PAGE = "https://lila.science/datasets/beluga-id-2022/"
LICENCE = "Community Data License Agreement - Permissive 1.0"
LICENCE_URL = "https://cdla.dev/permissive-1-0/"
CREDIT = "Beluga ID 2022, photographs of belugas in Cook Inlet, Alaska; published at LILA BC"

_FILES = "https://storage.googleapis.com/public-datasets-lila/wild-me"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the publisher.

    Attributes:
        url: where it lies.
        about: what it holds.
        sha256: what the publisher says it is; None: nothing.
    """

    url: str
    about: str
    sha256: str | None = None


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "training": Source(
            f"{_FILES}/beluga.coco.tar.gz",
            "5,902 photographs of 788 belugas with their identities (about 590 MB)",
        ),
        "test": Source(
            f"{_FILES}/beluga-id-test.zip",
            "the photographs and scenarios that the competition asked about (about 120 MB)",
        ),
    }
)
"""The parts of the data set, by name."""
