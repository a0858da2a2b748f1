"""What submissions count on in `cpu` and `gpu`: a test for each package of environment-cpu.in.

All of it computes on the processor, with fresh weights: nothing is downloaded.
"""

from __future__ import annotations

import io
import tempfile
import unittest
from pathlib import Path

import numpy as np

PHOTO = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)


class DeepLearningPackages(unittest.TestCase):
    def test_torch_multiplies_and_differentiates(self) -> None:
        import torch

        weights = torch.ones(3, requires_grad=True)
        (torch.eye(3) @ weights).square().sum().backward()
        assert weights.grad.tolist() == [2.0, 2.0, 2.0]

    def test_torch_loads_photographs_with_processes_of_its_own(self) -> None:
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        photographs = TensorDataset(torch.arange(8.0).reshape(8, 1))
        batches = [batch for (batch,) in DataLoader(photographs, batch_size=4, num_workers=2)]
        assert torch.cat(batches).ravel().tolist() == list(range(8))

    def test_onnx_and_onnxscript_let_torch_export_what_onnxruntime_runs(self) -> None:
        import onnx
        import onnxruntime
        import onnxscript
        import torch

        assert onnxscript.__version__
        network, given = torch.nn.Linear(4, 2).eval(), torch.ones(1, 4)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, "model.onnx"))
            torch.onnx.export(network, (given,), path, dynamo=True, external_data=False)
            onnx.checker.check_model(path)
            session = onnxruntime.InferenceSession(path)
        found = session.run(None, {session.get_inputs()[0].name: given.numpy()})[0]
        assert np.allclose(found, network(given).detach().numpy(), atol=1e-6)

    def test_torchvision_transforms_and_has_its_compiled_operators(self) -> None:
        import torch
        from torchvision.ops import nms
        from torchvision.transforms import v2

        prepare = v2.Compose([v2.ToImage(), v2.Resize((16, 32)), v2.ToDtype(torch.float32, scale=True)])
        assert prepare(PHOTO).shape == (3, 16, 32)
        boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9]])
        assert nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0]

    def test_timm_embeds_a_photograph(self) -> None:
        import timm
        import torch

        network = timm.create_model("tf_efficientnet_b0.ns_jft_in1k", pretrained=False, num_classes=0).eval()
        with torch.inference_mode():
            assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 1280)

    def test_pytorch_lightning_fits_a_line(self) -> None:
        import pytorch_lightning as pl
        import torch

        class Line(pl.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.layer = torch.nn.Linear(1, 1)

            def training_step(self, batch: torch.Tensor, _: int) -> torch.Tensor:
                return (self.layer(batch) - batch).square().mean()

            def configure_optimizers(self) -> torch.optim.Optimizer:
                return torch.optim.SGD(self.parameters(), lr=0.1)

        trainer = pl.Trainer(
            max_steps=2,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
        )
        trainer.fit(Line(), torch.utils.data.DataLoader(torch.ones(4, 1)))
        assert trainer.global_step == 2

    def test_pytorch_metric_learning_tells_animals_apart(self) -> None:
        import torch
        from pytorch_metric_learning.distances import CosineSimilarity
        from pytorch_metric_learning.losses import ArcFaceLoss

        embeddings, animals = torch.eye(4), torch.tensor([0, 1, 2, 3])
        assert CosineSimilarity()(embeddings, embeddings).diagonal().tolist() == [1.0] * 4
        assert ArcFaceLoss(num_classes=4, embedding_size=4)(embeddings, animals) > 0

    def test_albumentations_prepares_a_photograph(self) -> None:
        import albumentations
        from albumentations.pytorch import ToTensorV2

        steps = [albumentations.Resize(32, 32), albumentations.Normalize(), ToTensorV2()]
        assert albumentations.Compose(steps)(image=PHOTO)["image"].shape == (3, 32, 32)

    def test_kornia_warps_tensors(self) -> None:
        import kornia
        import torch

        photograph = torch.arange(16.0).reshape(1, 1, 4, 4)
        turned = kornia.geometry.rotate(photograph, torch.tensor([90.0]))
        assert torch.allclose(turned, photograph.rot90(1, (2, 3)), atol=1e-3)

    def test_einops_rearranges(self) -> None:
        import torch
        from einops import rearrange

        assert rearrange(torch.zeros(2, 3, 4, 6), "b c (h p) w -> b (h w) (p c)", p=2).shape == (2, 12, 6)

    def test_fastai_squishes_a_photograph(self) -> None:
        from fastai.vision.all import PILImage, Resize, ResizeMethod

        assert Resize(24, method=ResizeMethod.Squish)(PILImage.create(PHOTO)).size == (24, 24)

    def test_safetensors_keeps_weights(self) -> None:
        import torch
        from safetensors.torch import load, save

        assert load(save({"layer": torch.ones(2)}))["layer"].tolist() == [1.0, 1.0]

    def test_matplotlib_draws_without_a_screen(self) -> None:
        from matplotlib import pyplot

        stream = io.BytesIO()
        pyplot.imshow(PHOTO)
        pyplot.savefig(stream, format="png")
        assert stream.getvalue().startswith(b"\x89PNG")

    def test_polars_reads_and_writes_parquet(self) -> None:
        import polars as pl

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "t.parquet")
            pl.DataFrame({"image_id": ["001", "002"]}).write_parquet(path)
            assert pl.read_parquet(path)["image_id"].to_list() == ["001", "002"]
