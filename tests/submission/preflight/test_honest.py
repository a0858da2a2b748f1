"""Code in the manner of real submissions: no errors where it runs, and nothing at all for our own examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from whaledo.environment.names import import_names
from whaledo.environment.profiles import profiles
from whaledo.submission.preflight.check import AUTO, PreflightRequest, PreflightResult, check_submission

REPOSITORY = Path(__file__).resolve().parents[3]

ONE_BIG_SCRIPT = """
import sys
from tqdm import tqdm
import gc, math, os, random
from pathlib import Path
import pandas as pd
import numpy as np
from sklearn.preprocessing import LabelEncoder
import cv2
import albumentations
from albumentations.pytorch.transforms import ToTensorV2
import torch
import timm
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

ROOT = Path("/code_execution")
DATA = ROOT / "data"
PREDICTIONS = ROOT / "submission" / "submission.csv"

class CFG:
    device = torch.device("cuda")
    params = {"model_name": "tf_efficientnet_b5_ns", "pretrained": False}

class Net(nn.Module):
    def __init__(self, model_name, pretrained=True):
        super().__init__()
        self.backbone = timm.create_model(model_name, pretrained=pretrained)

    def forward(self, input):
        return self.backbone(input)

class Images(Dataset):
    def __getitem__(self, index):
        return cv2.imread("data/" + self.csv.iloc[index].path)

metadata = pd.read_csv(DATA / "metadata.csv", index_col="image_id")
scenarios = pd.read_csv(DATA / "query_scenarios.csv")
first = Net(**CFG.params)
state = torch.load("model_b5_fold0.bin", map_location=torch.device(CFG.device))
first.load_state_dict(state)
first.to(CFG.device)
del state
torch.cuda.empty_cache()
for row in scenarios.itertuples():
    queries = pd.read_csv(DATA / row.queries_path)
pd.DataFrame().to_csv(PREDICTIONS, index=False)
"""

LIGHTNING = """
from typing import Optional
from loguru import logger
import pandas as pd
import timm
import torch
import torch.nn.functional as F
from pytorch_lightning import LightningDataModule, LightningModule, Trainer
from PIL import Image

cfg = {"model_name": "tf_efficientnet_b2_ns", "wandb": False}

class Classifier(LightningModule):
    def __init__(self, id_class_nums=None):
        super().__init__()
        self.backbone = timm.create_model(cfg["model_name"], pretrained=False, features_only=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones(1).float().cuda() * self.backbone(x)

def main():
    logger.info("Starting")
    models = []
    trainer = Trainer(gpus=1, precision=16)
    models.append(Classifier.load_from_checkpoint(checkpoint_path="b2_380.ckpt"))
    for model in models:
        trainer.test(model)

if __name__ == "__main__":
    main()
"""

PATHS_AND_STARS = """
import sys
import os
path = os.path.dirname(os.path.realpath(__file__))
sys.path.append(f'{path}/whale/')
os.environ["CUDA_VISIBLE_DEVICES"] = "0"

import glob
import json
import torch
import pytorch_lightning as pl
import pandas as pd
from data import *
from models import *
from utils import *

class Config:
    data_dir = '/code_execution/data/'
    labels_json_path = f'{data_dir}/labels.json'
    ids_json_path = f'{path}/ids.json'
    with open(ids_json_path, 'r') as f:
        ids = json.load(f)
    device = 'cuda'
    save_dir = 'convnext_aug5_320/'

CFG = Config
try:
    import faiss
except ImportError:
    faiss = None

train = pd.DataFrame({'image_id': []})
train['whale_id'] = 'whale000'
device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
model = MultiHead(CFG, pretrained=False)
for name in glob.glob(f'{CFG.save_dir}/*/best.ckpt'):
    pl_model = Net.load_from_checkpoint(name)
print(train['whale_id'])
"""

SUBMISSIONS: dict[str, Mapping[str, str]] = {
    "one big script": {"main.py": ONE_BIG_SCRIPT, "model_b5_fold0.bin": "w"},
    "lightning": {"main.py": LIGHTNING, "b2_380.ckpt": "w"},
    "paths and stars": {
        "main.py": PATHS_AND_STARS,
        "ids.json": "{}",
        "convnext_aug5_320/f0/best.ckpt": "w",
        "whale/data/__init__.py": "from .augment import *\nfrom .dataset import *\n",
        "whale/data/augment.py": "import albumentations as A\nimport cv2\n",
        "whale/data/dataset.py": "from torch.utils.data import Dataset\nfrom utils import *\n",
        "whale/models/__init__.py": "from .models import *\n",
        "whale/models/models.py": "import timm\nclass MultiHead:\n    def __init__(self, cfg, pretrained=True):\n"
        "        self.net = timm.create_model(cfg.model_name, pretrained=pretrained)\n",
        "whale/utils.py": "import os, random, numpy as np, torch\nfrom logging import getLogger\n",
        "whale/train.py": "import wandb\nfrom apex import amp\nroot = '/home/me/whales'\n",
    },
    "package": {
        "main.py": "from src.predict import predict\n\nif __name__ == '__main__':\n    predict()\n",
        "src/__init__.py": "",
        "src/predict.py": "import argparse\nimport torch\nfrom .config import CFG\nfrom .nets.model import Net\n\n"
        "def predict():\n    parser = argparse.ArgumentParser()\n"
        "    parser.add_argument('--weights', default='weights/best.pth')\n    args, _ = parser.parse_known_args()\n"
        "    net = Net()\n    net.load_state_dict(torch.load(args.weights))\n    net.to(CFG['device'])\n",
        "src/config.py": "import torch\nCFG = {'device': 'cuda' if torch.cuda.is_available() else 'cpu'}\n",
        "src/nets/model.py": "import timm\nfrom ..config import CFG\nclass Net: ...\n",
        "weights/best.pth": "w",
    },
    "source on the path": {
        "main.py": "import sys\nsys.path.insert(0, 'src')\nfrom engine import run\nimport layers.pool\nrun()\n",
        "src/engine.py": "import warnings\nfrom layers import pool\nimport yaml\n\ndef run():\n"
        "    cfg = yaml.safe_load(open('src/conf.yaml'))\n",
        "src/layers/pool.py": "import torch.nn as nn\n",
        "src/conf.yaml": "a: 1\n",
    },
}  # fmt: skip


def checked(path: Path, profile: str) -> PreflightResult:
    return check_submission(
        PreflightRequest(str(path), {name: import_names(name) for name in profiles()}, profile)
    )


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_code_in_the_manner_of_winners_has_no_errors(tmp_path: Path, name: str, profile: str) -> None:
    for file, text in SUBMISSIONS[name].items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    result = checked(tmp_path, profile)
    assert [str(problem) for problem in result.problems if problem.severity == "error"] == []
    if profile == "gpu":
        leftovers = {problem.file for problem in result.problems}
        assert leftovers <= {"whale/train.py", None}


@pytest.mark.parametrize("name", ["submission_quickstart", "submission_benchmark"])
def test_nothing_is_found_in_our_own_examples(name: str) -> None:
    result = checked(REPOSITORY / name, AUTO)
    assert result.profile == "core"
    assert [str(problem) for problem in result.problems] == []
