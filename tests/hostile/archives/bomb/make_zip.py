"""A bomb whose members share their bytes is refused."""

import copy
import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("zeros", bytes(20 << 20), zipfile.ZIP_DEFLATED)
        info = archive.getinfo("zeros")
        for number in range(1000):
            twin = copy.copy(info)
            twin.filename = twin.orig_filename = f"zeros{number}"
            archive.filelist.append(twin)
    return made.getvalue()
