"""What a log's last traceback says, and what is made of it.

The logs in `captured/` are real: each was printed by a small main.py inside a run (those named `torch_...` by torch
2.13 outside of one, with the paths of a run put in).
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.execution.failure import TAIL_BYTES, Failure, Setting, explain, read_failure

CAPTURED = Path(__file__).with_name("captured")
SETTING = Setting("core", ("timestamp", "whale_id", "encounter_id"), ("labels.csv", "notes/"), offline=True)

IDENTITIES = "metadata.csv has no column `whale_id`"
NETWORK = "no network"
PACK = "pack the file"
GPU = "torch.cuda.is_available()"
MEMORY = "larger --memory"
READ_ONLY = "./data is read-only"
NOTHING = ""

READ = {
    "chained": ("RuntimeError: the config is broken (main.py, line 6)", NOTHING),
    "during_handling": ("SystemError: install timm first (main.py, line 4)", NOTHING),
    "group": ("ExceptionGroup: two queries failed (2 sub-exceptions) (main.py, line 1)", NOTHING),
    "task_group": ("ValueError: cannot embed a1 (main.py, line 4)", NOTHING),
    "syntax": ("SyntaxError: '(' was never closed (main.py, line 2)", NOTHING),
    "indentation": (
        "IndentationError: expected an indented block after function definition on line 1 (main.py, line 2)",
        NOTHING,
    ),
    "tab": ("TabError: inconsistent use of tabs and spaces in indentation (main.py, line 3)", NOTHING),
    "latin1_source": (
        r"SyntaxError: Non-UTF-8 code starting with '\xe9' in file /code_execution/main.py on line 1, but no "
        "encoding declared; see https://peps.python.org/pep-0263/ for details",
        NOTHING,
    ),
    "syntax_in_module": ("SyntaxError: expected ':' (model.py, line 1)", NOTHING),
    "hidden_column": ("KeyError: 'whale_id' (main.py, line 4)", IDENTITIES),
    "hidden_columns_list": ("""KeyError: "['whale_id'] not in index" (main.py, line 3)""", IDENTITIES),
    "hidden_usecols": (
        "ValueError: Usecols do not match columns, columns expected but not found: ['whale_id'] (main.py, line 2)",
        IDENTITIES,
    ),
    "hidden_attribute": (
        "AttributeError: 'DataFrame' object has no attribute 'whale_id'. Did you mean: 'image_id'? (main.py, line 2)",
        IDENTITIES,
    ),
    "hidden_polars": (
        'ColumnNotFoundError: unable to find column "whale_id"; valid columns: ["image_id", "path", "height", '
        '"width", "viewpoint", "date"] (main.py, line 2)',
        IDENTITIES,
    ),
    "labels_pandas": (
        "FileNotFoundError: [Errno 2] No such file or directory: 'data/labels.csv' (main.py, line 2)",
        "`labels.csv` is not there in the official runtime",
    ),
    "weights": (
        "FileNotFoundError: [Errno 2] No such file or directory: 'weights/whale.pt' (main.py, line 2)",
        PACK,
    ),
    "no_module": ("ModuleNotFoundError: No module named 'timm' (main.py, line 1)", NOTHING),
    "no_submodule": ("ModuleNotFoundError: No module named 'numpy.whales' (main.py, line 1)", NOTHING),
    "no_sibling": ("ModuleNotFoundError: No module named 'whale_utils' (model.py, line 1)", NOTHING),
    "child_interpreter": ("ModuleNotFoundError: No module named 'timm' (embed.py, line 1)", NOTHING),
    "urlerror": (
        "URLError: <urlopen error [Errno -3] Temporary failure in name resolution> (main.py, line 2)",
        NETWORK,
    ),
    "gaierror": ("gaierror: [Errno -3] Temporary failure in name resolution (main.py, line 2)", NETWORK),
    "unreachable": ("OSError: [Errno 101] Network is unreachable (main.py, line 2)", NETWORK),
    "torch_hub": (
        "URLError: <urlopen error [Errno -3] Temporary failure in name resolution> (main.py, line 2)",
        NETWORK,
    ),
    "memory_error": ("MemoryError (main.py, line 1)", MEMORY),
    "array_memory_error": (
        "_ArrayMemoryError: Unable to allocate 8.00 TiB for an array with shape (1048576, 1048576) and data type "
        "float64 (main.py, line 2)",
        MEMORY,
    ),
    "torch_memory": (
        "RuntimeError: [enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
        "tried to allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory) (main.py, line 2)",
        MEMORY,
    ),
    "torch_cuda": ("AssertionError: Torch not compiled with CUDA enabled (main.py, line 2)", GPU),
    "torch_checkpoint_of_a_gpu": (
        "RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If "
        "you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map "
        "your storages to the CPU. (main.py, line 13)",
        GPU,
    ),
    "torch_worker": ("ValueError: image 0 can't be decoded (main.py, line 5)", NOTHING),
    "torch_state_dict": (
        "RuntimeError: Error(s) in loading state_dict for Linear: (main.py, line 3)",
        NOTHING,
    ),
    "pool": ("ValueError: cannot embed b2 (main.py, line 6)", NOTHING),
    "process": ("ValueError: cannot embed a1 (main.py, line 3)", NOTHING),
    "executor_worker": ("KeyError: 'a1' (main.py, line 6)", NOTHING),
    "thread": ("ValueError: in a thread (main.py, line 3)", NOTHING),
    "many_lines": ("RuntimeError: Error(s) in loading state_dict for Net: (main.py, line 1)", NOTHING),
    "note": ("ValueError: invalid literal for int() with base 10: 'whale' (main.py, line 2)", NOTHING),
    "read_only": (
        "OSError: [Errno 30] Read-only file system: 'data/metadata.csv' (main.py, line 1)",
        READ_ONLY,
    ),
    "no_space": ("OSError: [Errno 28] No space left on device (main.py, line 3)", NOTHING),
    "threads_refused": ("RuntimeError: can't start new thread (main.py, line 3)", NOTHING),
    "recursion": ("RecursionError: maximum recursion depth exceeded (main.py, line 2)", NOTHING),
    "own_exception": ("Stranded: on the beach (main.py, line 2)", NOTHING),
    "own_exception_main": ("Stranded: on the beach (main.py, line 3)", NOTHING),
    "bare_assert": ("AssertionError (main.py, line 1)", NOTHING),
    "progress_bar": ("ValueError: no fins (main.py, line 6)", NOTHING),
    "warned_first": ("ValueError: no fins (main.py, line 4)", NOTHING),
    "ignored_then_raised": ("KeyError: 'a1' (main.py, line 6)", NOTHING),
    "raised_then_ignored": ("KeyError: 'a1' (main.py, line 5)", NOTHING),
}

NOT_TRACEBACKS = {"ignored", "exit_text", "segfault"}


def test_every_captured_log_is_looked_at() -> None:
    assert {path.stem for path in CAPTURED.iterdir()} == {*READ, *NOT_TRACEBACKS}


@pytest.mark.parametrize("name", READ)
def test_a_traceback_is_read_and_explained(name: str) -> None:
    says, hints = READ[name]
    failure = read_failure((CAPTURED / f"{name}.txt").read_bytes())
    assert failure is not None
    assert str(failure) == says
    hint = explain(failure, SETTING)
    assert hints in hint if hints else hint == ""


@pytest.mark.parametrize("name", NOT_TRACEBACKS)
def test_other_ends_of_a_log_are_left_alone(name: str) -> None:
    assert read_failure((CAPTURED / f"{name}.txt").read_bytes()) is None


@pytest.mark.parametrize(
    "log",
    [
        b"",
        b"ValueError: 3 rows were skipped\ndone\n",
        b"Traceback (most recent call last):\n",
        b"printed by hand: Traceback (most recent call last):\nValueError: no frames, so no traceback\n",
        b"see the SyntaxError in the docs\nWarning: slow\n",
        b"Warning: SyntaxError is a kind of error\nKeyError: counted\n",
        b"SyntaxWarning: invalid escape sequence\n",
        b"epoch 1: done\nmodel.Stranded: on the beach\n",
        b'  File "main.py", line 3\n    x = 1\nno error here\n',
        b'Traceback (most recent call last):\n  File "main.py", line 3, in f\nand then something else came\n',
        b"\xff\xfe" * 1000,
    ],
)
def test_must_not_fire_on(log: bytes) -> None:
    assert read_failure(log) is None


@pytest.mark.parametrize(
    "failure",
    [
        Failure("KeyError", "'date'", None, None),
        Failure("ValueError", "whale_id must be sorted", None, None),
        Failure("FileNotFoundError", "No such file: 'my_labels.csv'", None, None),
        Failure("FileNotFoundError", "No such file: 'data/labels.csv.gz'", None, None),
        Failure("FileNotFoundError", "No such file: 'notes.txt'", None, None),
    ],
)
def test_nothing_hidden_is_blamed_that_wasnt_asked_for(failure: Failure) -> None:
    hint = explain(failure, SETTING)
    assert "never sees" not in hint


@pytest.mark.parametrize("text", ["'data/notes'", "'data/notes/who.txt'", "'/code_execution/data/notes/'"])
def test_a_hidden_folder_explains_whatever_is_missed_in_it(text: str) -> None:
    failure = Failure("FileNotFoundError", f"[Errno 2] No such file or directory: {text}", None, None)
    assert "`notes/` is not there" in explain(failure, SETTING)


def test_a_run_with_the_network_isnt_told_that_it_has_none() -> None:
    failure = Failure(
        "URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>", None, None
    )
    assert explain(failure, Setting("core", (), (), offline=False)) == ""


def test_a_full_gpu_isnt_told_that_there_is_none() -> None:
    failure = Failure("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 MiB.", None, None)
    assert explain(failure, SETTING) == ""


def test_a_full_dev_shm_is_explained() -> None:
    text = (
        "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are "
        "out of shared memory. Please try to raise your shared memory limit."
    )
    assert "--shm-size" in explain(Failure("RuntimeError", text, None, None), SETTING)


def test_a_very_long_message_is_cut() -> None:
    failure = read_failure(
        b'Traceback (most recent call last):\n  File "main.py", line 1, in <module>\nE: ' + b"x" * 60_000
    )
    assert failure is not None
    assert len(failure.text) == 500


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(log: bytes) -> None:
    read_failure(log)


PIECES = st.sampled_from(
    [
        "Traceback (most recent call last):\n",
        '  File "/code_execution/main.py", line 3, in f\n',
        "    raise\n",
        "ValueError: x\n",
        "SyntaxError: x\n",
        "  + ",
        "  | ",
        "Exception ignored in: x\n",
        "\n",
        "a.b",
    ]
)


@given(st.lists(PIECES, max_size=20))
def test_whatever_is_read_stands_in_the_log(pieces: list[str]) -> None:
    log = "".join(pieces)
    failure = read_failure(log.encode())
    if failure is not None:
        assert failure.kind in log
        assert failure.text in log


@pytest.mark.parametrize(
    "piece",
    [
        b"x", b" ", b"\n", b"a.", b"Traceback ", b'  File "', b'  File "\n', b"Exception ignored in: ", b"+-", b"| ",
        b"Traceback (most recent call last):\n", b'Traceback (most recent call last):\n  File "\n',
    ],
)  # fmt: skip
def test_a_hostile_log_takes_no_longer_than_others(piece: bytes) -> None:
    log = (piece * TAIL_BYTES)[:TAIL_BYTES]
    began = time.process_time()
    read_failure(log)
    assert time.process_time() - began < 0.5
