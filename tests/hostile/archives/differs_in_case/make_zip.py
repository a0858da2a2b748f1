"""Names that differ in case alone are refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("Main.py", "print(2)")
    return made.getvalue()
