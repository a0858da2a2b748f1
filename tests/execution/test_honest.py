"""Libraries of the environment work behind the walls; what else is honest and unusual is in tests/hostile/honest/."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.execution.conftest import RunMain


def test_libraries_of_the_environment_work_with_threads_and_workers(run_here: RunMain) -> None:
    ran = run_here(
        "import numpy, PIL.Image, joblib, json\n"
        "from pathlib import Path\n"
        "def mean(path): return float(numpy.asarray(PIL.Image.open(path)).mean())\n"
        "means = joblib.Parallel(2)(joblib.delayed(mean)(p) for p in sorted(Path('data/images').iterdir()))\n"
        "print(json.dumps({'images': len(means), 'dot': float((numpy.ones((500, 500)) @ numpy.ones(500)).sum())}))"
    )
    assert ran.findings == {"images": 3, "dot": 250_000.0}
