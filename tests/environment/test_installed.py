from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from whaledo.environment.installed import Package, owners, packages_in, top_level


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["cv2/__init__.py", "cv2/cv2.abi3.so", "opencv_python_headless-4.14.dist-info/RECORD"], {"cv2"}),
        (["six.py"], {"six"}),
        (["_cffi_backend.cpython-311-x86_64-linux-gnu.so"], {"_cffi_backend"}),
        (["google/protobuf/message.py"], {"google"}),
        (["numpy.libs/libgfortran.so.5", "numpy/__init__.py"], {"numpy"}),
        (["../../../bin/tool", "share/doc/readme.txt", "distutils-precedence.pth"], set()),
        (["__pycache__/six.cpython-311.pyc", "six.py"], {"six"}),
    ],
)
def test_importable_names_are_read_from_the_files(files: list[str], names: set[str]) -> None:
    assert top_level(map(PurePosixPath, files)) == names


def test_a_shared_name_belongs_to_the_distribution_called_like_it() -> None:
    packages = [
        Package("google", "1", ("google",)),
        Package("protobuf", "1", ("google",)),
        Package("a-first", "1", ("shared", "z_last")),
        Package("z-last", "1", ("shared", "z_last")),
    ]

    assert owners(packages) == {"google": "google", "shared": "a-first", "z_last": "z-last"}


def test_names_are_given_as_one_installs_them(tmp_path: Path) -> None:
    info = tmp_path / "Tiny_Whale.jr-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Tiny_Whale.jr\nVersion: 1.0\n")
    (info / "RECORD").write_text("tiny/__init__.py,,\nTiny_Whale.jr-1.0.dist-info/METADATA,,\n")

    assert packages_in(tmp_path) == (Package("tiny-whale-jr", "1.0", ("tiny",)),)
