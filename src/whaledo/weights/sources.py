"""Networks for animal re-identification that are published: where they lie, their licence, and whom to thank.

Only what has a licence from whoever made it stands here. At the time of writing that is nobody's ONNX file: the
one in circulation, of MiewID, is another person's copy, whose licence the makers are reported to dispute. So what
stands here is exported, and an ONNX file is fetched from the address that a person gives, who knows its terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Published:
    """A published network.

    Attributes:
        model: what is exported, or the address of an ONNX file.
        about: what it is, in a few words.
        licence: its name.
        licence_url: its text.
        credit: whom to thank.
        page: the publisher's page, which has the last word on all of this.
        size: height and width of the photographs that it was made for, in pixels.
        mean: of red, green and blue from 0 to 1.
        std: likewise.
        sha256: of the ONNX file, as its publisher gives it; None: it is exported, or the publisher gives none.
    """

    model: str
    about: str
    licence: str
    licence_url: str
    credit: str
    page: str
    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    sha256: str | None = None


def _megadescriptor(variant: str, pixels: int, about: str) -> Published:
    name = f"BVRA/MegaDescriptor-{variant}-{pixels}"
    return Published(
        model=f"timm:hf-hub:{name}",
        about=about,
        licence="CC BY-NC 4.0: not for commercial use",
        licence_url="https://creativecommons.org/licenses/by-nc/4.0/",
        credit="MegaDescriptor; Čermák, Picek, Adam and Papafitsoros, WildlifeDatasets (WACV 2024)",
        page=f"https://huggingface.co/{name}",
        size=(pixels, pixels),
        # What the publisher's page uses; the configuration beside the weights, which timm reads, may differ.
        mean=HALF,
        std=HALF,
    )


PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        "megadescriptor-t-224": _megadescriptor("T", 224, "Swin-T; the smallest, about 0.1 GB"),
        "megadescriptor-b-224": _megadescriptor("B", 224, "Swin-B, about 0.4 GB"),
        "megadescriptor-l-384": _megadescriptor("L", 384, "Swin-L; the best and slowest, about 0.8 GB"),
    }
)
"""By the names that `whaledo weights` knows them by."""
