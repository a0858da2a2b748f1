"""A name with a line end or a terminal's escape is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("a\n\x1b[2Jb", "x")
    return made.getvalue()
