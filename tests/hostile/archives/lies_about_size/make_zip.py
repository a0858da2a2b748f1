"""A member that is larger than it claims is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("model", bytes(1 << 20), zipfile.ZIP_DEFLATED)
        archive.getinfo("model").file_size = 100
    return made.getvalue()
