"""Download the public beluga data: from a request to a result, both of which travel as JSON.

What comes lies in a hidden folder beside the one that is asked for until it is verified and unpacked; so the same
command goes on after a failure, and a folder that is there is complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

from whaledo.challenge.build.whole import require_room
from whaledo.challenge.download.coco import write_table
from whaledo.challenge.download.fetch import Known, Patience, fetch
from whaledo.challenge.download.sources import CREDIT, LICENCE, LICENCE_URL, PAGE, SOURCES
from whaledo.challenge.download.unpack import unpack
from whaledo.errors import BadData, MachineError, UsageError

ARCHIVE, RECORD = "archive", "SOURCE.json"


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """One download, completely described.

    Attributes:
        folder: a new or empty folder.
        part: which part of the data set.
        url: another address; None: the publisher's.
        sha256: what the file must be, in hexadecimal; None: what the publisher says, if anything.
    """

    folder: str
    part: str = "training"
    url: str | None = None
    sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> DownloadRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        return cls(**document)


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """What was got.

    Attributes:
        folder: where it is.
        part: of the data set.
        url: where it came from.
        size_bytes: of the file that came.
        sha256: of that file.
        verified: whether the SHA-256 was known before.
        etag: what the server calls this version of the file; empty: nothing.
        last_modified: its date, as the server wrote it; empty: it has none.
        files: how many were unpacked.
        photographs: rows of table.csv; None: there is no such table.
        licence: its name.
        licence_url: its text.
        credit: whom to thank.
        page: the publisher's page, which has the last word on licence and credit.
    """

    folder: str
    part: str
    url: str
    size_bytes: int
    sha256: str
    verified: bool
    etag: str
    last_modified: str
    files: int
    photographs: int | None
    licence: str = LICENCE
    licence_url: str = LICENCE_URL
    credit: str = CREDIT
    page: str = PAGE

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DownloadListener:
    """Whom to tell while it goes on.

    Attributes:
        fetching: bytes that are here, and in all; 0: nobody knows.
        waiting: why an attempt failed, and the seconds until the next.
        unpacking: the file is here and verified, as far as it can be.
    """

    fetching: Callable[[int, int], None] = field(default=lambda _here, _total: None)
    waiting: Callable[[str, float], None] = field(default=lambda _reason, _wait_s: None)
    unpacking: Callable[[], None] = field(default=lambda: None)


def download(
    request: DownloadRequest, listener: DownloadListener | None = None, patience: Patience | None = None
) -> DownloadResult:
    """Download one part of the public beluga data, and unpack it.

    Raises:
        UsageError: if the request makes no sense, or the folder holds anything.
        BadData: if what came isn't what it should be; it is gone, and the next call starts over.
        MachineError: if it can't be had or written; what came through stays for the next call.
    """
    listener, folder = listener or DownloadListener(), Path(request.folder)
    if request.part not in SOURCES:
        raise UsageError(f"there is no part {request.part!r}", hint=f"there are {', '.join(SOURCES)}")
    url = request.url or SOURCES[request.part].url
    # A published checksum is of the published file; it says nothing about another address.
    wanted = request.sha256 or (SOURCES[request.part].sha256 if request.url is None else None)
    if wanted is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", wanted):
        raise UsageError(f"{wanted!r} is no SHA-256", hint="it has 64 hexadecimal digits")
    try:
        require_room(folder, "a download")
        with _workplace(folder) as place:
            return _download(request, place, url, wanted, listener, patience or Patience())
    except OSError as error:
        said = f"the download can't be written beside {folder}: {error.strerror or error}"
        raise MachineError(said, hint="it takes twice the size of the data") from error


def _download(
    request: DownloadRequest,
    place: Path,
    url: str,
    wanted: str | None,
    listener: DownloadListener,
    patience: Patience,
) -> DownloadResult:
    archive, unpacked = place / ARCHIVE, place / "unpacked"
    known = fetch(url, archive, patience=patience, on_progress=listener.fetching, on_wait=listener.waiting)
    listener.unpacking()
    with archive.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        if wanted is not None and sha256 != wanted.lower():
            raise BadData(
                f"{url} isn't the file that it should be: its SHA-256 is {sha256}, not {wanted.lower()}",
                hint="nothing was unpacked; ask the publisher whether the data have changed",
            )
        rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        files = unpack(archive, unpacked)
    except BadData:
        archive.unlink()
        raise
    rows = write_table(unpacked)
    result = _result(request, url, known, sha256, archive.stat().st_size, wanted is not None, files, rows)
    record = json.dumps(result.to_json(), indent=2, ensure_ascii=False) + "\n"
    (unpacked / RECORD).write_text(record, "utf-8")
    # Takes the place of an empty folder, and fails if somebody put something into it meanwhile.
    unpacked.rename(Path(request.folder).resolve())
    archive.unlink()
    return result


def _result(
    request: DownloadRequest,
    url: str,
    known: Known,
    sha256: str,
    size_bytes: int,
    verified: bool,
    files: int,
    rows: int | None,
) -> DownloadResult:
    return DownloadResult(
        folder=request.folder,
        part=request.part,
        url=url,
        size_bytes=size_bytes,
        sha256=sha256,
        verified=verified,
        etag=known.etag,
        last_modified=known.last_modified,
        files=files,
        photographs=rows,
    )


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """The hidden folder beside `folder` that keeps what came through; one download at a time works in it."""
    target = folder.resolve()
    place = target.with_name(f".{target.name}.download")
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another download into {folder} is under way", hint="wait for it") from None
        try:
            yield place
        finally:
            if not (place / ARCHIVE).exists():
                rmtree(place, ignore_errors=True)
