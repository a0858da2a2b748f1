"""A FIFO is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        pipe = zipfile.ZipInfo("pipe")
        pipe.create_system, pipe.external_attr = 3, 0o010644 << 16
        archive.writestr(pipe, "")
    return made.getvalue()
