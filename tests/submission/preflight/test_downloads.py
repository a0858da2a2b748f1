"""Calls that need the network, told apart from those that only look like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from whaledo.submission.preflight.check import PreflightResult

Check = Callable[..., PreflightResult]
Found = Callable[..., list[tuple[str, str, str]]]

DOWNLOADS = [
    "import timm\ntimm.create_model('resnet18', pretrained=True)",
    "import timm\ntimm.create_model('resnet18', True)",
    "import timm\ntimm.create_model('hf_hub:org/model')",
    "from timm import create_model as make\nmake('resnet18', pretrained=True)",
    "from torchvision import models\nmodels.resnet50(True)",
    "from torchvision.models import resnet50\nresnet50(pretrained=True)",
    "from torchvision import models\nmodels.resnet50(weights='DEFAULT')",
    "from torchvision import models as m\nm.resnet50(weights=m.ResNet50_Weights.IMAGENET1K_V2)",
    "import torch\ntorch.hub.load('facebookresearch/dinov2', 'dinov2_vits14')",
    "import torch\ntorch.hub.load_state_dict_from_url(url)",
    "from torch import AutoModel\nAutoModel.from_pretrained('facebook/dinov2-base')",
    "import requests\nrequests.get('https://example.org/w.pth')",
    "import urllib.request\nurllib.request.urlretrieve('https://example.org/w.pth', 'w.pth')",
]


@pytest.mark.parametrize("code", DOWNLOADS)
def test_a_download_that_surely_runs_is_an_error(found: Found, code: str) -> None:
    assert found(code) == [("error", "download", "main.py:2")]


@pytest.mark.parametrize("code", DOWNLOADS)
def test_a_download_in_a_function_is_a_warning(found: Found, code: str) -> None:
    imports, call = code.split("\n")
    assert found(f"{imports}\ndef f():\n    {call}") == [("warning", "download", "main.py:3")]


@pytest.mark.parametrize(
    "code",
    [
        "import timm\ntimm.create_model('resnet18', pretrained=False)",
        "import timm\ntimm.create_model('resnet18', pretrained=settings.pretrained)",
        "import timm\ntimm.create_model('x', pretrained=True, pretrained_cfg_overlay=dict(file='w.bin'))",
        "from torchvision import models\nmodels.resnet50(weights=None)",
        "def build(name, pretrained=True): ...",
        "import torch\ntorch.hub.load('dinov2', 'vits14', source='local')",
        "from torch import AutoModel\nAutoModel.from_pretrained('weights/dino')",
        "from torch import AutoModel\nAutoModel.from_pretrained(path)",
        "import requests\nrequests.get('http://localhost:8000/health')",
        "import subprocess\nsubprocess.run(['nvidia-smi'])",
        "settings = {'pretrained': True}",
    ],
)
def test_what_needs_no_network_is_nothing(found: Found, code: str) -> None:
    assert found({"main.py": code, "weights/dino/config.json": "{}"}) == []


@pytest.mark.parametrize(
    "files",
    [
        {".cache/torch/hub/checkpoints/r.pth": b""},
        {"w/models--org--m/x": b""},
        {"env.py": "import os\nos.environ['HF_HOME'] = 'w'"},
    ],
)
def test_weights_may_come_from_a_packed_cache(found: Found, files: dict[str, str | bytes]) -> None:
    code = "import timm\ntimm.create_model('resnet18', pretrained=True)\n"
    imports = "import env\n" if "env.py" in files else ""
    assert found({"main.py": imports + code, **files}) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import os\nos.system('pip install timm')", "pip_install"),
        (
            "import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'timm'])",
            "pip_install",
        ),
        ("import os\nos.system('wget https://example.org/w.pth')", "download"),
        ("class Net: ...\nNet(pretrained=True)", "download"),
        ("import requests\nrequests.get(address)", "download"),
    ],
)
def test_what_may_not_stop_the_run_is_a_warning(found: Found, code: str, kind: str) -> None:
    assert found(code) == [("warning", kind, "main.py:2")]


def test_with_a_network_nothing_is_said_of_downloads(check: Check) -> None:
    assert not list(check(DOWNLOADS[0], offline=False).problems)
