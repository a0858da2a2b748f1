"""Honest but unusual submissions pass untouched: what the walls must not get in the way of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.execution.conftest import RunMain

PROGRAM = Path(__file__).with_name("programs") / "honest.py"
PACKAGE = {"package/__init__.py": "", "package/inner.py": "NAME = 'inner'\n"}


def test_what_honest_submissions_do_works(run_main: RunMain) -> None:
    ran = run_main({"main.py": PROGRAM.read_text(), "whale_ünïcødé.py": "NAME = 'ü'\n", **PACKAGE})
    assert ran.code == "ok", (ran.verdict, ran.log[-2000:])
    found = ran.findings
    for method in ("fork", "spawn", "forkserver"):
        assert found.pop(f"pool by {method}") == [1, 4, 9]
    for plug in ("IPv4", "IPv6", "by name", "socket file", "abstract socket"):
        assert found.pop(plug) == "WHALE", plug
    assert found == {
        "executor": [16, 25],
        "shared memory": 42,
        "queue": "through a semaphore",
        "threads": 285,
        "asyncio": 42,
        "shell": "42",
        "database": [0],
        "temporary file": "/tmp",
        "names": ["Ünïcødé 🐋"],
        "own module": ["ü", "inner"],
        "user": ["/code_execution", "runner", True, found["user"][3]],
        "memory file": 5,
    }
    assert ran.log.count(b"progress \xf0\x9f\x90\x8b ....") == 2000
    assert ran.record["usage"]["log_dropped_bytes"] == 0
    assert ran.record["warnings"] == []


def test_libraries_of_the_environment_work_with_threads_and_workers(run_here: RunMain) -> None:
    ran = run_here(
        "import numpy, PIL.Image, joblib, json\n"
        "from pathlib import Path\n"
        "def mean(path): return float(numpy.asarray(PIL.Image.open(path)).mean())\n"
        "means = joblib.Parallel(2)(joblib.delayed(mean)(p) for p in sorted(Path('data/images').iterdir()))\n"
        "print(json.dumps({'images': len(means), 'dot': float((numpy.ones((500, 500)) @ numpy.ones(500)).sum())}))"
    )
    assert ran.findings == {"images": 3, "dot": 250_000.0}
