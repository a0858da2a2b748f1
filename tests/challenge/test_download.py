"""Downloading from a server of our own that does everything that servers do."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from whaledo.archive import ArchiveLimits
from whaledo.challenge.build.records import BuildRequest
from whaledo.challenge.build.table import read_photographs
from whaledo.challenge.download.download import (
    DownloadListener,
    DownloadRequest,
    DownloadResult,
    download,
)
from whaledo.challenge.download.fetch import Patience
from whaledo.challenge.download.sources import SOURCES
from whaledo.challenge.download.unpack import unpack
from whaledo.errors import BadData, MachineError, UsageError

HASTE = Patience(attempts=3, first_wait_s=0.01, timeout_s=5)

ANNOTATIONS = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "date_captured": "2017-08-05 10:00:00"},
        {"id": 2, "file_name": "b.jpg", "date_captured": "NA"},
    ],
    "categories": [{"id": 0, "name": "beluga_whale"}],
    "annotations": [
        {"id": 7, "image_id": 1, "category_id": 0, "name": "007", "viewpoint": "up", "bbox": [0, 0, 9, 9]},
        {"id": 8, "image_id": 2, "category_id": 0, "name": "____", "viewpoint": "left", "bbox": [0, 0, 9, 9]},
    ],
}


def tar_gz(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """A tar.gz of files by name, and of whatever else."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in others:
            tar.addfile(member)
    return raw.getvalue()


BELUGAS = tar_gz(
    {
        "beluga.coco/annotations/instances_train2022.json": json.dumps(ANNOTATIONS).encode(),
        "beluga.coco/images/train2022/a.jpg": random.Random(1).randbytes(300_000),
        "beluga.coco/images/train2022/b.jpg": random.Random(2).randbytes(300_000),
        "beluga.coco/images/train2022/._b.jpg": b"macOS",
    }
)
OTHER = tar_gz({"beluga.coco/readme.txt": random.Random(3).randbytes(700_000)})


class Handler(BaseHTTPRequestHandler):
    """Does what the test has put next on the list; the last thing again and again."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append(dict(self.headers))
        act = self.site.acts.pop(0) if len(self.site.acts) > 1 else self.site.acts[0]
        act(self)

    def log_message(self, *_: object) -> None:
        pass

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


@dataclass
class Site:
    """The server: what it does next, and what it was asked."""

    url: str
    acts: list[Callable[[Handler], None]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def will(self, *acts: Callable[[Handler], None]) -> None:
        self.acts[:] = acts


def serve(
    content: bytes, etag: str = '"one"', *, cut: int | None = None, ranges: bool = True
) -> Callable[[Handler], None]:
    """Answer as a good server would; with `cut`, drop the connection after so many bytes."""

    def act(handler: Handler) -> None:
        asked = handler.headers.get("Range", "")
        start = 0
        if ranges and asked and handler.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        body = content[start:]
        if start:
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            handler.head(206, Content_Length=len(body), Content_Range=span, ETag=etag)
        else:
            handler.head(200, Content_Length=len(body), ETag=etag)
        handler.wfile.write(body[:cut])

    return act


def status(number: int, **headers: object) -> Callable[[Handler], None]:
    return lambda handler: handler.head(number, Content_Length=0, **headers)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.site = site = Site(f"http://127.0.0.1:{server.server_port}/belugas.tar.gz")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def get(site: Site, folder: Path, **changes: str) -> DownloadResult:
    return download(DownloadRequest(str(folder), url=site.url, **changes), patience=HASTE)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def is_belugas(folder: Path) -> bool:
    images = folder / "beluga.coco/images/train2022"
    return [len((images / name).read_bytes()) for name in ("a.jpg", "b.jpg")] == [300_000, 300_000]


def test_what_comes_is_unpacked_with_a_table_and_a_record(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS))
    told: list[tuple[int, int]] = []
    listener = DownloadListener(fetching=lambda *step: told.append(step))
    result = download(DownloadRequest(str(tmp_path / "belugas"), url=site.url), listener, HASTE)
    assert is_belugas(tmp_path / "belugas")
    assert (result.sha256, result.size_bytes, result.verified) == (sha256(BELUGAS), len(BELUGAS), False)
    assert (result.files, result.photographs, result.etag) == (3, 2, '"one"')
    assert json.loads((tmp_path / "belugas/SOURCE.json").read_text()) == result.to_json()
    assert told[-1] == (len(BELUGAS), len(BELUGAS))
    assert [path.name for path in tmp_path.iterdir()] == ["belugas"]


def test_the_table_is_one_that_data_build_reads(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS))
    get(site, tmp_path / "belugas")
    with (tmp_path / "belugas/table.csv").open(newline="") as file:
        assert [row["identity"] for row in csv.DictReader(file)] == ["007", "unknown"]
    reading = read_photographs(BuildRequest(str(tmp_path / "belugas/table.csv"), "unused"))
    (one,) = reading.photographs
    assert (one.image_id, one.identity, one.viewpoint, str(one.when)) == ("7", "007", "up", "2017-08-05")
    assert (tmp_path / "belugas" / one.path).is_file()


def test_dropped_connections_go_on_where_they_broke(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS, cut=200_000), serve(BELUGAS, cut=250_000), serve(BELUGAS))
    get(site, tmp_path / "belugas", sha256=sha256(BELUGAS))
    assert is_belugas(tmp_path / "belugas")
    starts = [int(asked.get("Range", "bytes=0-")[6:-1]) for asked in site.asked]
    assert starts == sorted(starts)
    assert starts[0] < starts[1] < starts[2]
    assert [asked.get("If-Range") for asked in site.asked] == [None, '"one"', '"one"']


def test_a_later_command_goes_on_where_an_earlier_one_gave_up(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS, cut=300_000), status(503))
    with pytest.raises(MachineError, match="the server answered 503 Service Unavailable, 3 times") as raised:
        get(site, tmp_path / "belugas")
    assert "goes on from them" in raised.value.hint
    assert not (tmp_path / "belugas").exists()
    site.asked.clear()
    site.will(serve(BELUGAS))
    get(site, tmp_path / "belugas", sha256=sha256(BELUGAS))
    assert is_belugas(tmp_path / "belugas")
    assert int(site.asked[0]["Range"][6:-1]) > 200_000


def test_a_server_that_ignores_ranges_starts_over_without_mixing(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS, cut=300_000), serve(BELUGAS, ranges=False))
    get(site, tmp_path / "belugas", sha256=sha256(BELUGAS))
    assert is_belugas(tmp_path / "belugas")


def test_a_file_that_changes_between_attempts_starts_over(site: Site, tmp_path: Path) -> None:
    site.will(serve(OTHER, '"old"', cut=300_000), serve(BELUGAS, '"new"'))
    assert get(site, tmp_path / "belugas", sha256=sha256(BELUGAS)).etag == '"new"'
    assert is_belugas(tmp_path / "belugas")


def test_a_server_that_sends_another_part_than_asked_starts_over(site: Site, tmp_path: Path) -> None:
    def shifted(handler: Handler) -> None:
        span = f"bytes 10-{len(BELUGAS) - 1}/{len(BELUGAS)}"
        handler.head(206, Content_Length=len(BELUGAS) - 10, Content_Range=span, ETag='"one"')
        handler.wfile.write(BELUGAS[10:])

    def newer(handler: Handler) -> None:
        start = int(handler.headers["Range"][6:-1])
        span = f"bytes {start}-{len(BELUGAS) - 1}/{len(BELUGAS)}"
        handler.head(206, Content_Length=len(BELUGAS) - start, Content_Range=span, ETag='"two"')
        handler.wfile.write(b"x" * (len(BELUGAS) - start))

    cut = serve(BELUGAS, cut=300_000)
    site.will(cut, shifted, cut, newer, serve(BELUGAS))
    request = DownloadRequest(str(tmp_path / "belugas"), url=site.url, sha256=sha256(BELUGAS))
    download(request, patience=replace(HASTE, attempts=6))
    assert is_belugas(tmp_path / "belugas")


def test_a_server_may_send_less_than_it_was_asked_for(site: Site, tmp_path: Path) -> None:
    def a_piece(handler: Handler) -> None:
        start = int(handler.headers["Range"][6:-1])
        piece = BELUGAS[start : start + 100_000]
        span = f"bytes {start}-{start + len(piece) - 1}/{len(BELUGAS)}"
        handler.head(206, Content_Length=len(piece), Content_Range=span, ETag='"one"')
        handler.wfile.write(piece)

    site.will(serve(BELUGAS, cut=100_000), a_piece)
    get(site, tmp_path / "belugas", sha256=sha256(BELUGAS))
    assert is_belugas(tmp_path / "belugas")
    assert len(site.asked) >= 6


def test_an_encrypted_address_never_leads_to_an_open_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://mirror.example/belugas.tar.gz"})
        return httpx.Response(200, content=BELUGAS)

    client = partial(httpx.Client, transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "Client", client)
    request = DownloadRequest(str(tmp_path / "belugas"), url="https://example.org/belugas.tar.gz")
    with pytest.raises(MachineError, match=r"leads to http://mirror\.example/.*, which isn't encrypted"):
        download(request, patience=HASTE)
    assert len(asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_without_a_validator_nothing_is_appended(site: Site, tmp_path: Path) -> None:
    site.will(serve(OTHER, 'W/"weak"', cut=300_000), serve(BELUGAS))
    get(site, tmp_path / "belugas", sha256=sha256(BELUGAS))
    assert "Range" not in site.asked[1]
    assert is_belugas(tmp_path / "belugas")


def test_a_complete_file_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS))
    with pytest.raises(RuntimeError, match="the power fails"):
        download(
            DownloadRequest(str(tmp_path / "belugas"), url=site.url),
            DownloadListener(unpacking=lambda: (_ for _ in ()).throw(RuntimeError("the power fails"))),
            HASTE,
        )
    get(site, tmp_path / "belugas")
    assert len(site.asked) == 1
    assert is_belugas(tmp_path / "belugas")


@pytest.mark.parametrize("claimed", [len(BELUGAS) + 1000, len(BELUGAS) - 1000], ids=["too long", "too short"])
def test_a_lie_about_the_length_is_never_taken_for_the_file(site: Site, tmp_path: Path, claimed: int) -> None:
    def lie(handler: Handler) -> None:
        handler.head(200, Content_Length=claimed)
        handler.wfile.write(BELUGAS)

    site.will(lie)
    with pytest.raises((MachineError, BadData), match=r"times in a row|damaged"):
        get(site, tmp_path / "belugas")
    assert not (tmp_path / "belugas").exists()


def test_a_length_that_isnt_said_is_fine(site: Site, tmp_path: Path) -> None:
    def chunked(handler: Handler) -> None:
        handler.head(200, Transfer_Encoding="chunked")
        for start in range(0, len(BELUGAS), 50_000):
            piece = BELUGAS[start : start + 50_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    site.will(chunked)
    get(site, tmp_path / "belugas", sha256=sha256(BELUGAS))
    assert is_belugas(tmp_path / "belugas")


def test_wrong_bytes_are_refused_and_thrown_away(site: Site, tmp_path: Path) -> None:
    site.will(serve(OTHER))
    with pytest.raises(BadData, match=f"its SHA-256 is {sha256(OTHER)}, not {sha256(BELUGAS)}"):
        get(site, tmp_path / "belugas", sha256=sha256(BELUGAS).upper())
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_byte_is_found_without_any_checksum_from_elsewhere(site: Site, tmp_path: Path) -> None:
    site.will(serve(BELUGAS[:400_000] + bytes([BELUGAS[400_000] ^ 1]) + BELUGAS[400_001:]))
    with pytest.raises(BadData, match="is damaged"):
        get(site, tmp_path / "belugas")
    assert list(tmp_path.iterdir()) == []


def test_a_login_page_is_called_a_web_page(site: Site, tmp_path: Path) -> None:
    site.will(serve(b"<!DOCTYPE html><title>Please log in</title>"))
    with pytest.raises(BadData, match="what came is a web page"):
        get(site, tmp_path / "belugas")


def test_redirections_are_followed_but_not_in_circles(site: Site, tmp_path: Path) -> None:
    site.will(status(302, Location="/elsewhere"), serve(BELUGAS))
    get(site, tmp_path / "belugas")
    assert is_belugas(tmp_path / "belugas")
    site.will(status(302, Location=site.url))
    with pytest.raises(MachineError, match="leads in a circle"):
        get(site, tmp_path / "again")


@pytest.mark.parametrize("number", [401, 403, 404, 410])
def test_what_wont_pass_is_told_at_once(site: Site, tmp_path: Path, number: int) -> None:
    site.will(status(number))
    with pytest.raises(MachineError, match=f"the server answered {number}") as raised:
        get(site, tmp_path / "belugas")
    assert "--url" in raised.value.hint
    assert len(site.asked) == 1


def test_a_busy_server_is_given_the_time_that_it_asks_for(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    site.will(status(503, Retry_After=7), status(429), status(503, Retry_After=99_999), serve(BELUGAS))
    patience = Patience(attempts=4, first_wait_s=1, timeout_s=5)
    download(DownloadRequest(str(tmp_path / "belugas"), url=site.url), patience=patience)
    assert slept == [7, 2, 60]


def test_nobody_listening_is_told_with_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    request = DownloadRequest(str(tmp_path / "belugas"), url="http://127.0.0.1:9/belugas.tar.gz")
    with pytest.raises(MachineError, match=r"http://127\.0\.0\.1:9/.* can't be fetched: .*refused"):
        download(request, patience=HASTE)


@pytest.mark.parametrize("url", ["belugas.tar.gz", "ftp://example.org/a", "http://example.org:port/a"])
def test_what_cant_be_an_address_is_a_usage_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="can't be fetched"):
        download(DownloadRequest(str(tmp_path / "belugas"), url=url), patience=HASTE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_anything_is_never_touched(site: Site, tmp_path: Path) -> None:
    (tmp_path / "belugas").mkdir()
    (tmp_path / "belugas" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"isn't empty: mine\.txt"):
        get(site, tmp_path / "belugas")
    assert site.asked == []
    assert [path.name for path in tmp_path.rglob("*")] == ["belugas", "mine.txt"]


def test_two_downloads_into_one_folder_dont_mix(site: Site, tmp_path: Path) -> None:
    refused: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(UsageError, match="another download"):
            get(site, tmp_path / "belugas")
        refused.append("yes")

    site.will(serve(BELUGAS))
    listener = DownloadListener(unpacking=meanwhile)
    download(DownloadRequest(str(tmp_path / "belugas"), url=site.url), listener, HASTE)
    assert refused == ["yes"]


def test_a_request_travels_as_json_and_a_senseless_one_is_refused(tmp_path: Path) -> None:
    request = DownloadRequest(str(tmp_path), "test", sha256="0" * 64)
    assert DownloadRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    with pytest.raises(UsageError, match="no part 'holiday'"):
        download(DownloadRequest(str(tmp_path / "new"), "holiday"))
    with pytest.raises(UsageError, match="no SHA-256"):
        download(DownloadRequest(str(tmp_path / "new"), sha256="abc"))


def test_the_publishers_addresses_are_encrypted() -> None:
    assert all(source.url.startswith("https://") for source in SOURCES.values())


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


HOSTILE = {
    "a name that leads out": tar_gz({"../out.txt": b"x"}),
    "a name that leads out later": tar_gz({"a/../../out.txt": b"x"}),
    "an absolute name": tar_gz({"/tmp/out.txt": b"x"}),
    "a link out": tar_gz({}, link("a", "/etc/passwd")),
    "a hard link": tar_gz({"b": b"x"}, link("a", "b", tarfile.LNKTYPE)),
    "a file through a link": tar_gz({}, link("a", ".."), tarfile.TarInfo("a/out.txt")),
    "a named pipe": tar_gz({}, link("a", "", tarfile.FIFOTYPE)),
    "a device": tar_gz({}, link("a", "", tarfile.CHRTYPE)),
    "a name twice": tar_gz({"a": b"x"}, tarfile.TarInfo("a")),
    "two names that are one elsewhere": tar_gz({"a": b"x", "A": b"y"}),
    "a file that is a folder": tar_gz({"a": b"x", "a/b": b"y"}),
    "a control character": tar_gz({"a\nb": b"x"}),
    "a backslash": tar_gz({"a\\b": b"x"}),
}


@pytest.mark.parametrize("archive", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_writes_nothing(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(archive)
    (tmp_path / "into").mkdir()
    with pytest.raises(BadData, match="can't be unpacked safely"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "into")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "into"]


def test_sizes_are_limited_whatever_the_archive_says(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(bytes(3_000_000)))
    with pytest.raises(BadData, match="unpacks to more than"):
        unpack(path, tmp_path / "into", ArchiveLimits(total_bytes=1_000_000))
    with pytest.raises(BadData, match="zip bombs"):
        unpack(path, tmp_path / "into", ArchiveLimits(ratio_from_bytes=1_000_000))
    path.write_bytes(tar_gz({str(number): b"" for number in range(5)}))
    with pytest.raises(BadData, match="1 problem") as raised:
        unpack(path, tmp_path / "into", ArchiveLimits(members=3))
    assert "more than 3 files" in next(iter(raised.value.problems)).message


@pytest.mark.parametrize(
    "length", [0, 20, 5_000, -9], ids=["nothing", "its head", "a piece", "all but its end"]
)
def test_a_cut_archive_is_damaged(tmp_path: Path, length: int) -> None:
    (tmp_path / "a.tar.gz").write_bytes(BELUGAS[:length])
    (tmp_path / "into").mkdir()
    with pytest.raises(BadData, match=r"is damaged|neither a zip nor a tar"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "into")


def test_zips_go_through_the_strict_reader(site: Site, tmp_path: Path) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("code-execution/images/test1.jpg", b"x")
    site.will(serve(raw.getvalue()))
    result = get(site, tmp_path / "belugas", part="test")
    assert (result.files, result.photographs) == (1, None)
    assert (tmp_path / "belugas/code-execution/images/test1.jpg").read_bytes() == b"x"
    with zipfile.ZipFile(raw, "a") as archive:
        archive.writestr("../out.txt", b"x")
    site.will(serve(raw.getvalue()))
    with pytest.raises(BadData, match="leads out of the folder"):
        get(site, tmp_path / "again", part="test")
