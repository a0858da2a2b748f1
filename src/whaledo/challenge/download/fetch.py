"""Fetch one large file over HTTP so that nothing that came through is fetched twice, or mixed with another file.

Two things must hold before bytes are appended to earlier ones: the server confirms that the file is still the same
(If-Range with the validator that came with the first bytes), and what it sends begins where ours end. Otherwise it
starts over. Retrying is a loop of our own: each attempt asks for something else, which no transport's retries do.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from whaledo import __version__
from whaledo.errors import MachineError, UsageError
from whaledo.units import show_size

MOST_BYTES = 64 << 30
"""A file that has no end is given up here."""

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may be better in a moment."""

LONGEST_WAIT_S = 60.0

Progress = Callable[[int, int], None]
Waiting = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on.

    Attributes:
        attempts: so many in a row may bring nothing new.
        first_wait_s: the wait after the first of them, doubled each time.
        timeout_s: how long a server may be silent.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Known:
    """What the server said of the file whose first bytes are here.

    Attributes:
        url: where it was asked for.
        etag: its strong validator; empty: it has none.
        last_modified: its date, as the server wrote it; empty: it has none.
        size_bytes: how large it is; None: it wasn't said.
    """

    url: str
    etag: str = ""
    last_modified: str = ""
    size_bytes: int | None = None

    @property
    def validator(self) -> str:
        """What proves that it is still the same file; empty: nothing does."""
        return self.etag or self.last_modified


class _Passing(Exception):
    """An attempt that failed for a reason that may pass."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait_s = reason, wait_s


def fetch(url: str, target: Path, *, patience: Patience, on_progress: Progress, on_wait: Waiting) -> Known:
    """Fetch a file, going on with what an earlier call left of it.

    Args:
        url: where it lies; redirections are followed, but not from https to http.
        target: where it goes; until it is complete, a file beside it tells what it is part of.
        patience: when to give up.
        on_progress: called with the bytes that are here and in all (0: it isn't known).
        on_wait: called with a reason and the seconds until the next attempt.

    Returns:
        What the server said of the file.

    Raises:
        UsageError: if the URL can't be one.
        MachineError: if the file can't be had; what came through stays for the next call.
    """
    store = _Store(target)
    most, idle = target.stat().st_size if target.exists() else 0, 0
    headers = {"User-Agent": f"whaledo/{__version__}", "Accept-Encoding": "identity"}
    with httpx.Client(follow_redirects=True, timeout=patience.timeout_s, headers=headers) as client:
        while True:
            try:
                return _attempt(client, url, store, on_progress)
            except _Passing as passing:
                came = store.size_bytes()
                idle = 0 if came > most else idle + 1
                most = max(most, came)
                if idle >= patience.attempts:
                    hint = f"{show_size(came)} stay here: the same command goes on from them"
                    said = f"{url} can't be fetched: {passing.reason}, {idle} times in a row"
                    raise MachineError(said, hint=hint if came else "is this machine online?") from None
                wait_s = max(passing.wait_s, patience.first_wait_s * 2 ** max(0, idle - 1))
                wait_s = min(wait_s, LONGEST_WAIT_S)
                on_wait(passing.reason, wait_s)
                time.sleep(wait_s)


@dataclass(frozen=True, slots=True)
class _Store:
    """The bytes that are here, and the note beside them that says of which file they are."""

    target: Path

    @property
    def note(self) -> Path:
        return self.target.with_name(f"{self.target.name}.json")

    def size_bytes(self) -> int:
        return self.target.stat().st_size if self.target.exists() else 0

    def known(self, url: str) -> Known:
        """What the bytes here are part of; nothing, and no bytes, where that can't be told."""
        try:
            known = Known(**json.loads(self.note.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            known = Known("")
        if known.url != url or not known.validator:
            self.forget()
            return Known(url)
        return known

    def remember(self, known: Known) -> None:
        self.note.write_text(json.dumps(asdict(known)), "utf-8")

    def forget(self) -> None:
        self.target.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _attempt(client: httpx.Client, url: str, store: _Store, on_progress: Progress) -> Known:
    known = store.known(url)
    here = store.size_bytes()
    if here and here == known.size_bytes:
        return known
    headers = {"Range": f"bytes={here}-", "If-Range": known.validator} if here else {}
    try:
        with client.stream("GET", url, headers=headers) as response:
            known = _accepted(response, url, known, here, store)
            _append(response, known, store, on_progress)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UsageError(f"{url!r} can't be fetched: {error}", hint="write a URL with https://") from None
    except httpx.TooManyRedirects:
        raise MachineError(f"{url} leads in a circle", hint="give another address: --url") from None
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            said = f"{url} can't be fetched: its certificate isn't trusted ({error})"
            hint = "behind a proxy that opens connections, set SSL_CERT_FILE to its certificates"
            raise MachineError(said, hint=hint) from None
        raise _Passing(str(error) or type(error).__name__) from None
    if known.size_bytes is not None and store.size_bytes() < known.size_bytes:
        raise _Passing(f"only {store.size_bytes():,} of {known.size_bytes:,} bytes came")
    return known


def _accepted(response: httpx.Response, url: str, known: Known, here: int, store: _Store) -> Known:
    """What the answer is part of, once the bytes here are such that its own can be appended."""
    status = response.status_code
    if url.startswith("https:") and response.url.scheme != "https":
        said = f"{url} leads to {response.url}, which isn't encrypted"
        raise MachineError(said, hint="give that address yourself with --url, if you trust it")
    if status in PASSING:
        raise _Passing(f"the server answered {status} {response.reason_phrase}", _retry_after(response))
    if status == 416:
        store.forget()
        raise _Passing("the file became shorter")
    if status not in {200, 206}:
        said = f"{url} can't be fetched: the server answered {status} {response.reason_phrase}"
        raise MachineError(said, hint="has the publisher moved it? Give its new address: --url")
    says = Known(url, _strong(response.headers.get("etag", "")), response.headers.get("last-modified", ""))
    if status == 200:
        length = response.headers.get("content-length", "")
        says = replace(says, size_bytes=int(length) if length.isdecimal() else None)
        store.forget()
        store.remember(says)
        return says
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("content-range", ""))
    same = says.etag in {"", known.etag} and known.size_bytes in {None, span and int(span[2])}
    if span is None or int(span[1]) != here or not same:
        store.forget()
        raise _Passing("the server sent another part than it was asked for")
    return replace(known, size_bytes=int(span[2]))


def _append(response: httpx.Response, known: Known, store: _Store, on_progress: Progress) -> None:
    here = store.size_bytes()
    most = MOST_BYTES if known.size_bytes is None else known.size_bytes
    with store.target.open("ab") as file:
        # Pieces as they come: those of a stated size would lose the last one with the connection.
        for chunk in response.iter_raw():
            here += len(chunk)
            if here > most:
                break
            file.write(chunk)
            on_progress(here, known.size_bytes or 0)
    if here > most:
        store.forget()
        raise _Passing(f"more than the {most:,} bytes came that the server had said")


def _strong(etag: str) -> str:
    """An ETag that promises the same bytes; a weak one promises only the same meaning."""
    return "" if etag.startswith("W/") else etag


def _retry_after(response: httpx.Response) -> float:
    """The seconds that a server asks to wait, which it gives as a number or as a date."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
