"""Calls that need the network: pretrained weights, model hubs, plain downloads, package installers.

Recognised are the libraries that the profiles have. A download whose address, model or switch is put together at
run time isn't guessed at. Where the submission brings a cache (`.cache/`, `models--*/`, `hub/checkpoints/`), says
where one is or unpacks something, weights are taken for cached and nothing is said of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from whaledo.submission.preflight.contents import Contents
from whaledo.submission.preflight.module import Module, located

_LIBRARIES = ("timm.", "torchvision.", "fastai.", "kornia.")
_HUB = {
    "torch.hub.load": "a model",
    "torch.hub.load_state_dict_from_url": "weights",
    "torch.utils.model_zoo.load_url": "weights",
    "huggingface_hub.hf_hub_download": "a file",
    "huggingface_hub.snapshot_download": "a model",
}
_PLAIN = {
    "torch.hub.download_url_to_file",
    "torchvision.datasets.utils.download_url",
    "gdown.download",
    "gdown.download_folder",
    "wget.download",
    "nltk.download",
    "spacy.cli.download",
}
_ADDRESSED = {
    *(f"requests.{verb}" for verb in ("get", "post", "head", "request")),
    *(f"httpx.{verb}" for verb in ("get", "post", "stream")),
    "urllib.request.urlopen",
    "urllib.request.urlretrieve",
}
_SHELLS = {
    "os.system",
    "os.popen",
    *(f"subprocess.{n}" for n in ("run", "call", "check_call", "check_output", "Popen")),
}
_INSTALL = re.compile(r"\b(?:pip3?|uv|conda|mamba|apt|apt-get)\b.* install\b")
_FETCH = re.compile(r"(?:^|[\s;&])(?:wget|curl|gdown|git clone|aws s3|gsutil)\b.*\S")
_HERE = re.compile(r"https?://(?:localhost|127\.|\[::1\])|file:")
_ADDRESS = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
_NAMED_WEIGHTS = re.compile(r"DEFAULT|IMAGENET1K_V\d|COCO_\w+")
_CACHE = re.compile(r"(?:^|/)(?:\.cache|models--[^/]+|hub/checkpoints)/")
_LONGEST_COMMAND = 1000
_UNPACKS = {"extractall", "extract", "unpack_archive"}
_CACHE_VARIABLES = {"TORCH_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"}

PACK_WEIGHTS = (
    "a run has no network: build the model without weights and load them from a file that you pack "
    "(load_state_dict)"
)
_PACK = "a run has no network: download before packing, and load from a file beside main.py"


def has_cache(contents: Contents, modules: list[Module]) -> bool:
    """Whether weights may come from a cache that is packed."""
    named = any(node.value in _CACHE_VARIABLES for module in modules for node in module.does.strings)
    moved = any(
        module.dotted(call.func) == "torch.hub.set_dir" for module in modules for call, _ in module.does.calls
    )
    unpacked = any(unpacks(call) for module in modules for call, _ in module.does.calls)
    return named or moved or unpacked or any(map(_CACHE.search, contents.files))


def unpacks(call: ast.Call) -> bool:
    """Whether a call unpacks an archive, so that a run has files that can't be seen here."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in _UNPACKS


def download(
    module: Module, call: ast.Call, contents: Contents, *, cached: bool
) -> tuple[str, str, bool] | None:
    """What a call fetches and what to do instead, and whether it surely does if it runs; None: nothing."""
    name = module.dotted(call.func) or ""
    if not cached and (found := _weights(module, call, name, contents)):
        return found
    if name in _PLAIN:
        return f"{name}() downloads", _PACK, True
    if name in _ADDRESSED:
        address = module.text(call.args[0]) if call.args else None
        if address is None:
            return f"{name}() asks the network, unless its address is on this machine", _PACK, False
        if _HERE.match(address) is None:
            return f"{name}() asks the network for {_shown(address)}", _PACK, True
    return None


def _weights(module: Module, call: ast.Call, name: str, contents: Contents) -> tuple[str, str, bool] | None:
    given = {each.arg: each.value for each in call.keywords if each.arg}
    if name in _HUB:
        local = _is(given.get("source"), "local") or _is(given.get("local_files_only"), True)
        return None if local else (f"{name}() downloads {_HUB[name]}", PACK_WEIGHTS, True)
    if name.rpartition(".")[2] == "from_pretrained":
        return _from_pretrained(module, call, contents)
    model = module.text(call.args[0]) if name == "timm.create_model" and call.args else None
    if model and model.replace("-", "_").startswith("hf_hub:"):
        return f"timm downloads {_shown(model)}", PACK_WEIGHTS, True
    if _is(given.get("pretrained"), True) or _is(_positional_switch(name, call), True):
        if given.keys() & {"pretrained_cfg", "pretrained_cfg_overlay"}:
            return None
        return (
            f"`pretrained=True` makes {name or 'it'}() download weights",
            PACK_WEIGHTS,
            name.startswith(_LIBRARIES),
        )
    if name.startswith("torchvision.models."):
        for key in ("weights", "weights_backbone"):
            if key in given and (weights := _named_weights(module, given[key])):
                return f"`{key}={weights}` makes {name}() download weights", PACK_WEIGHTS, True
    return None


def _from_pretrained(module: Module, call: ast.Call, contents: Contents) -> tuple[str, str, bool] | None:
    model = module.text(call.args[0]) if call.args else None
    if model is None or located(model) in contents.folders or located(model) in contents.files:
        return None
    hint = "a run has no network: save_pretrained() it to a folder, pack that, and give its name"
    return f"from_pretrained({_shown(model)}) downloads: no such folder is packed", hint, True


def _positional_switch(name: str, call: ast.Call) -> ast.expr | None:
    """The argument that `pretrained` is when it isn't named."""
    place = 1 if name == "timm.create_model" else 0 if name.startswith("torchvision.models.") else None
    return call.args[place] if place is not None and len(call.args) > place else None


def _named_weights(module: Module, node: ast.expr) -> str | None:
    last = module.text(node) or (node.attr if isinstance(node, ast.Attribute) else "")
    return last if _NAMED_WEIGHTS.fullmatch(last.rpartition(".")[2]) else None


def command(module: Module, call: ast.Call) -> tuple[str, str, str] | None:
    """A shell command that installs or downloads: kind, message and hint."""
    name = module.dotted(call.func)
    if name in {"pip.main", "pip._internal.main"}:
        return "pip_install", f"{name}() installs packages", _NO_INSTALL
    if name not in _SHELLS or not call.args:
        return None
    node = call.args[0]
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    line = " ".join(module.text(part) or "?" for part in parts)[:_LONGEST_COMMAND]
    if _INSTALL.search(line) and "--target" not in line:
        return "pip_install", f"{_shown(line)} installs packages", _NO_INSTALL
    address = _ADDRESS.search(line)
    if _FETCH.search(line) and address and not _HERE.match(line, address.start()):
        return "download", f"{_shown(line)} downloads", _PACK
    return None


_NO_INSTALL = "a run has no network and its packages are read-only: pack the package's folder beside main.py"


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value and type(node.value) is type(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def fetched(
    module: Module, contents: Contents, *, cached: bool
) -> Iterator[tuple[ast.Call, str, str, str, bool]]:
    """All calls of a module that need the network: call, kind, message, hint, and whether it fails if it runs."""
    for call, where in module.does.calls:
        if found := download(module, call, contents, cached=cached):
            message, hint, fails = found
            yield call, "download", message, hint, fails and where.sure
        elif asked := command(module, call):
            kind, message, hint = asked
            yield call, kind, message, hint, False
