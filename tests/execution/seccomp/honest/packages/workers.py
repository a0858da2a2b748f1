"""joblib, as scikit-learn uses it: worker processes, semaphores, arrays shared through files."""

import numpy as np
from joblib import Parallel, delayed  # type: ignore[import-untyped]  # it has no stubs

points = np.random.default_rng(0).random((2000, 64))
sums = Parallel(n_jobs=2, max_nbytes=1000)(delayed(np.sum)(points) for _ in range(4))
assert sums == [np.sum(points)] * 4
