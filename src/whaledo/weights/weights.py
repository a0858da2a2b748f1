"""Put `model.onnx` and `model.json` into a submission folder: from a request to a result, both plain JSON.

`model.json` tells the submission how the network wants its photographs, in the names that timm uses, and people
where it comes from. Both files are made in a hidden folder beside the submission's, so that a failure leaves the
submission as it was, a packed submission never holds half a file, and the same command goes on with a download.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from whaledo.challenge.download.fetch import Patience, fetch
from whaledo.errors import BadData, MachineError, UsageError
from whaledo.weights.export import export, find_python
from whaledo.weights.sources import PUBLISHED

MODEL, SETTINGS = "model.onnx", "model.json"
UNKNOWN_LICENCE = "unknown: ask whoever publishes the weights"

_PIXELS = (1, 4096)
_NO_ONNX = {b"<": "a web page", b"version https://git-lfs": "a Git LFS pointer", b"PK": "a zip", b"{": "JSON"}


@dataclass(frozen=True, slots=True)
class WeightsRequest:
    """One network for a submission, completely described.

    Attributes:
        model: a name in `PUBLISHED`, `timm:NAME`, `torchvision:NAME`, `MODULE:FUNCTION`, or an ONNX file's URL.
        folder: the submission's folder.
        force: replace a network that is there.
        size: height and width that photographs are scaled to, in pixels; None: what the model says.
        mean: of red, green and blue from 0 to 1; None: what the model says.
        std: likewise.
        sha256: what the ONNX file at a URL must be, in hexadecimal; None: nobody said.
        licence: under which the weights may be used; None: what is known of it.
        profile: the environment that exports; None: one with torch that is built.
    """

    model: str
    folder: str
    force: bool = False
    size: tuple[int, int] | None = None
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    sha256: str | None = None
    licence: str | None = None
    profile: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> WeightsRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        triples = {name: document.get(name) and tuple(document[name]) for name in ("size", "mean", "std")}
        return cls(**{**document, **triples})


@dataclass(frozen=True, slots=True)
class WeightsResult:
    """What the submission has now; `model.json` holds it too.

    Attributes:
        folder: the submission's folder.
        model: what was exported, or the URL.
        exported: whether it was exported here; else it was fetched.
        size_bytes: of model.onnx.
        sha256: of model.onnx.
        verified: whether that SHA-256 was known before.
        input_size: height and width that photographs are scaled to, in pixels.
        mean: of red, green and blue from 0 to 1.
        std: likewise.
        embedding_size: numbers an embedding has; None: nobody looked.
        licence: of the weights.
        licence_url: its text; empty: not known.
        credit: whom to thank; empty: not known.
        page: the publisher's; empty: not known.
    """

    folder: str
    model: str
    exported: bool
    size_bytes: int
    sha256: str
    verified: bool
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    embedding_size: int | None
    licence: str
    licence_url: str
    credit: str
    page: str

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class WeightsListener:
    """Whom to tell while it goes on.

    Attributes:
        fetching: bytes that are here, and in all; 0: nobody knows.
        waiting: why an attempt failed, and the seconds until the next.
        exporting: each line that the export prints.
    """

    fetching: Callable[[int, int], None] = field(default=lambda _here, _total: None)
    waiting: Callable[[str, float], None] = field(default=lambda _reason, _wait_s: None)
    exporting: Callable[[str], None] = field(default=lambda _line: None)


def put_weights(
    request: WeightsRequest,
    listener: WeightsListener | None = None,
    patience: Patience | None = None,
    python: Path | None = None,
) -> WeightsResult:
    """Put a network into a submission's folder.

    Args:
        request: which, and where to.
        listener: whom to tell how it goes on.
        patience: when to give up a download.
        python: what exports; None: that of an environment with torch.

    Raises:
        UsageError: if the request makes no sense, the model can't be exported, or a network is there already.
        BadData: if what was fetched isn't what it should be; it is gone, and the next call starts over.
        MachineError: if it can't be had or written; what came through stays for the next call.
    """
    listener = listener or WeightsListener()
    request = _completed(request)
    folder = Path(request.folder)
    _require_free(folder, force=request.force)
    try:
        with _workplace(folder) as place:
            if "://" in request.model:
                wants = _fetched(request, place, listener, patience or Patience())
            else:
                (place / f"{MODEL}.json").unlink(missing_ok=True)  # of an earlier download
                order: dict[str, Any] = {
                    "model": request.model,
                    "input_size": request.size,
                    "mean": request.mean,
                    "std": request.std,
                }
                python = python or find_python(request.profile)
                wants = export(python, order, place, listener.exporting)
            result = _result(request, place / MODEL, wants)
            _require_free(folder, force=request.force)
            _put_in_place(result, place, folder)
            return result
    except OSError as error:
        raise MachineError(f"the network can't be written to {folder}: {error.strerror or error}") from error


def _completed(request: WeightsRequest) -> WeightsRequest:
    """The request with what is known of a published model, once it makes sense."""
    if published := PUBLISHED.get(request.model):
        request = replace(
            request,
            model=published.model,
            size=request.size or published.size,
            mean=request.mean or published.mean,
            std=request.std or published.std,
            sha256=request.sha256 or published.sha256,
        )
    if ":" not in request.model.strip(":"):
        known = ", ".join(PUBLISHED)
        forms = "or write timm:NAME, torchvision:NAME, MODULE:FUNCTION or the URL of an ONNX file"
        raise UsageError(f"there is no model {request.model!r}", hint=f"known are {known}; {forms}")
    fetched = "://" in request.model
    if request.sha256 is not None and not fetched:
        said = "a SHA-256 can only be told of an ONNX file that is fetched: an export differs with torch's version"
        raise UsageError(said, hint="leave --sha256 out")
    if request.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", request.sha256):
        raise UsageError(f"{request.sha256!r} is no SHA-256", hint="it has 64 hexadecimal digits")
    if fetched and not (request.size and request.mean and request.std):
        said = f"{request.model} doesn't say how it wants its photographs"
        raise UsageError(
            said, hint="its page does: add --size 440x440 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
        )
    if request.size and not all(_PIXELS[0] <= side <= _PIXELS[1] for side in request.size):
        raise UsageError(f"photographs of {request.size[0]} x {request.size[1]} pixels make no sense")
    if request.std and not all(part > 0 for part in request.std):
        raise UsageError("every part of --std is more than 0: photographs are divided by it")
    return request


def _require_free(folder: Path, *, force: bool) -> None:
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", hint="name a submission's: cp -r submission_benchmark mine"
        )
    there = [name for name in (MODEL, SETTINGS) if (folder / name).exists()]
    if there and not force:
        said = f"{folder} holds {' and '.join(there)} already"
        raise UsageError(said, hint="add --force to replace them, or name another folder")


def _fetched(
    request: WeightsRequest, place: Path, listener: WeightsListener, patience: Patience
) -> dict[str, Any]:
    target = place / MODEL
    fetch(request.model, target, patience=patience, on_progress=listener.fetching, on_wait=listener.waiting)
    sha256 = _sha256(target)
    problem = ""
    if request.sha256 is not None and sha256 != request.sha256.lower():
        problem = f"its SHA-256 is {sha256}, not {request.sha256.lower()}"
    with target.open("rb") as file:
        head = file.read(64)
    if what := next((what for start, what in _NO_ONNX.items() if head.lstrip().startswith(start)), None):
        problem = f"it is {what}"
    if not head:
        problem = "it is empty"
    if problem:
        target.unlink()
        hint = "ask its publisher whether it has changed, or moved; nothing was put into the submission"
        raise BadData(f"{request.model} isn't the ONNX file that it should be: {problem}", hint=hint)
    return {"input_size": request.size, "mean": request.mean, "std": request.std, "embedding_size": None}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _result(request: WeightsRequest, made: Path, wants: Mapping[str, Any]) -> WeightsResult:
    published = next((each for each in PUBLISHED.values() if each.model == request.model), None)
    return WeightsResult(
        folder=request.folder,
        model=request.model,
        exported="://" not in request.model,
        size_bytes=made.stat().st_size,
        sha256=_sha256(made),
        verified=request.sha256 is not None,
        input_size=wants["input_size"],
        mean=wants["mean"],
        std=wants["std"],
        embedding_size=wants["embedding_size"],
        licence=request.licence or (published.licence if published else UNKNOWN_LICENCE),
        licence_url=published.licence_url if published else "",
        credit=published.credit if published else "",
        page=published.page if published else "",
    )


def _put_in_place(result: WeightsResult, place: Path, folder: Path) -> None:
    document = {name: value for name, value in result.to_json().items() if name != "folder"}
    order = {
        name: document.pop(name) for name in ("input_size", "mean", "std")
    }  # what a submission reads: first
    text = json.dumps({**order, **document}, indent=2, ensure_ascii=False) + "\n"
    (place / SETTINGS).write_text(text, "utf-8")
    (place / MODEL).rename(folder / MODEL)
    (place / SETTINGS).rename(folder / SETTINGS)


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """The hidden folder beside a submission's that keeps what came through; one at a time works in it."""
    target = folder.resolve()
    place = target.with_name(f".{target.name}.weights")
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"a network for {folder} is on its way already", hint="wait for it") from None
        try:
            yield place
        finally:
            # Only a download that can be gone on with has both: its bytes, and what they are part of.
            if not ((place / MODEL).exists() and (place / f"{MODEL}.json").exists()):
                rmtree(place, ignore_errors=True)
