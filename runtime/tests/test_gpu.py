"""What submissions count on in `gpu` beside all that `cpu` has: builds for CUDA, and the GPU where there is one."""

from __future__ import annotations

import unittest


class CudaBuilds(unittest.TestCase):
    def test_torch_and_torchvision_are_built_for_one_cuda(self) -> None:
        import torch
        from torchvision.extension import _check_cuda_version

        assert torch.version.cuda
        assert _check_cuda_version() // 1000 == int(torch.version.cuda.partition(".")[0])

    def test_the_gpu_computes(self) -> None:
        import torch

        if not torch.cuda.is_available():
            self.skipTest("no GPU in sight, so only the imports of the CUDA builds were tested")
        assert (torch.eye(3, device="cuda") @ torch.ones(3, device="cuda")).sum().item() == 3.0
