"""A main.py that is machine code is a crash, and isn't executed as such."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", b"\x7fELF\x02\x01\x01" + bytes(64))
    return made.getvalue()
