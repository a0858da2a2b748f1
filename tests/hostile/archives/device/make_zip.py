"""A device is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        disk = zipfile.ZipInfo("disk")
        disk.create_system, disk.external_attr = 3, 0o060666 << 16
        archive.writestr(disk, "")
    return made.getvalue()
