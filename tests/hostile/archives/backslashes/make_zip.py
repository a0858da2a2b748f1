"""A name with backslashes is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("a\\..\\..\\evil.py", "x")
    return made.getvalue()
