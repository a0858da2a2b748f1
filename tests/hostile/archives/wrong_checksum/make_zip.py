"""A member whose checksum is wrong is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("model", "weights")
        archive.getinfo("model").CRC = 1
    return made.getvalue()
