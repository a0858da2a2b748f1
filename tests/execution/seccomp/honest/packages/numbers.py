"""numpy with its BLAS threads, and a file mapped into memory."""

import numpy as np

table = np.random.default_rng(0).random((600, 600))
assert np.allclose(table @ np.linalg.inv(table), np.eye(600), atol=1e-6)
np.save("/tmp/table.npy", table)
assert np.load("/tmp/table.npy", mmap_mode="r").sum() == table.sum()
