# ruff: noqa: E501 - what uv printed stays as it came

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from whaledo.environment import uv
from whaledo.environment.uv import failure, find_uv, run_uv, uv_environment
from whaledo.errors import MachineError

# What uv 0.13.9 really printed, with the names of the index replaced.
SAID = {
    "make room": """\
error: Failed to install: scipy-1.17.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl (scipy==1.17.1)
  cause: Failed to copy to `/mnt/lib/python3.11/site-packages/scipy/stats/_biasedurn.so`
  cause: failed to copy file from /cache/scipy/stats/_biasedurn.so to /mnt/lib/.tmpCHPCZV: No space left on device (os error 28)
""",
    "another file than the one that was locked": """\
Resolved 1 package in 65ms
error: Failed to download `tqdm==4.70.1`
  cause: Hash mismatch for `tqdm==4.70.1`

         Expected:
           sha256:0000000000000000000000000000000000000000000000000000000000000000
""",
    "SSL_CERT_FILE": """\
error: Failed to fetch: https://index.example/simple/tqdm/
  cause: error sending request for url (https://index.example/simple/tqdm/)
  cause: client error (Connect)
  cause: invalid peer certificate: UnknownIssuer
""",
    "UV_OFFLINE": """\
error: No solution found when resolving dependencies
  cause: Because tqdm was not found in the cache and you require tqdm==4.70.1, we can conclude that your requirements are unsatisfiable.

hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
""",
    "a name and a password": """\
error: No solution found when resolving dependencies
  cause: Because tqdm was not found in the package registry and you require tqdm==4.70.1, we can conclude that your requirements are unsatisfiable.

hint: An index URL (https://index.example/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)
""",
    "no build for this machine": """\
error: No solution found when resolving dependencies
  cause: Because pywin32==311 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`) and you require pywin32==311, we can conclude that your requirements are unsatisfiable.
""",
    "lag behind": """\
error: No solution found when resolving dependencies
  cause: Because there is no version of loguru==99.0.0 and you require loguru==99.0.0, we can conclude that your requirements are unsatisfiable.
""",
    "UV_DEFAULT_INDEX or PIP_INDEX_URL": """\
error: No solution found when resolving dependencies
  cause: Because tqdm was not found in the package registry and you require tqdm==4.70.1, we can conclude that your requirements are unsatisfiable.
""",
    "is this machine online?": """\
error: Failed to fetch: https://index.example/simple/tqdm/
  cause: client error (Connect)
  cause: dns error
  cause: failed to lookup address information: Name or service not known
""",
    "WHALEDO_TORCH_INDEX": """\
error: Request failed after 3 retries in 6.8s
  cause: Failed to fetch: https://index.example/whl/cpu/torchvision/
  cause: error sending request for url (https://index.example/whl/cpu/torchvision/)
  cause: client error (Connect)
  cause: dns error
""",
    "another user": """\
error: Failed to create virtual environment
  cause: failed to create directory `ro/v`: Permission denied (os error 13)
""",
}


@pytest.mark.parametrize("advice", SAID)
def test_what_uv_says_is_shown_with_what_to_do_about_it(advice: str) -> None:
    error = failure("build core", 2, SAID[advice].splitlines())

    assert advice in error.hint
    assert error.message.startswith("couldn't build core: uv failed:\n  error: ")


def test_an_unknown_failure_is_shown_without_advice() -> None:
    error = failure("build core", 2, ["Resolved 1 package", "error: the moon is full"])

    assert error.message == "couldn't build core: uv failed:\n  error: the moon is full"
    assert error.hint == ""


def test_being_killed_is_said() -> None:
    assert failure("build core", -9, []).message == "couldn't build core: uv was killed by signal 9"


def test_settings_that_change_what_is_installed_are_left_out() -> None:
    harmful = ("UV_NO_VERIFY_HASHES", "UV_OVERRIDE", "UV_LINK_MODE", "UV_TARGET", "UV_NO_BINARY", "UV_PYTHON")
    dropped = dict.fromkeys((*harmful, "VIRTUAL_ENV", "PYTHONPATH", "CONDA_PREFIX"), "x")

    assert not dropped.keys() & uv_environment(dropped).keys()


def test_proxies_indexes_and_certificates_are_passed_on() -> None:
    names = (
        "HTTPS_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "HOME",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_CACHE_DIR",
    )
    wanted = dict.fromkeys((*names, "UV_INDEX_OURS_PASSWORD", "UV_HTTP_TIMEOUT", "UV_OFFLINE"), "x")

    assert wanted.items() <= uv_environment(wanted).items()


def test_what_is_set_for_pip_is_used_unless_it_is_set_for_uv() -> None:
    pip = {"PIP_INDEX_URL": "https://index.example/simple", "PIP_FIND_LINKS": "/wheels /more"}

    assert uv_environment(pip)["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert uv_environment(pip)["UV_FIND_LINKS"] == "/wheels,/more"
    assert uv_environment({**pip, "UV_FIND_LINKS": "/mine"})["UV_FIND_LINKS"] == "/mine"


def test_uv_never_fetches_an_interpreter() -> None:
    assert uv_environment({"UV_PYTHON_DOWNLOADS": "automatic"})["UV_PYTHON_DOWNLOADS"] == "never"


def test_the_uv_beside_the_running_python_comes_before_that_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("beside", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "uv").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_uv() == tmp_path / "beside" / "uv"

    (tmp_path / "beside" / "uv").unlink()
    assert find_uv() == tmp_path / "path" / "uv"

    (tmp_path / "path" / "uv").unlink()
    with pytest.raises(MachineError, match="uv, which builds") as caught:
        find_uv()
    assert "pip install uv" in caught.value.hint


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_output_is_told_as_it_comes_but_for_the_list_of_packages(tmp_path: Path) -> None:
    told: list[str] = []
    fake = script(tmp_path / "uv", "echo 'Using Python 3.11'; echo Prepared >&2; echo ' + tqdm==4.70.1'")

    run_uv(["venv"], folder=tmp_path, on_output=told.append, doing="test", uv=fake)

    assert told == ["Prepared"]


def test_uv_ends_when_whaledo_is_interrupted(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        (tmp_path / "pid").write_text(line)
        raise KeyboardInterrupt

    fake = script(tmp_path / "uv", "echo $$; exec sleep 60")
    with pytest.raises(KeyboardInterrupt):
        run_uv([], folder=tmp_path, on_output=interrupt, doing="test", uv=fake)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_files_are_made_for_everybody_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        run_uv([], folder=tmp_path, on_output=print, doing="test", uv=script(tmp_path / "uv", "touch made"))
    finally:
        os.umask(before)

    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


def test_a_python_that_uv_manages_is_none_without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_uv() -> Path:
        raise MachineError("no uv")

    monkeypatch.setattr(uv, "find_uv", no_uv)

    assert uv.managed_python("3.11") is None
