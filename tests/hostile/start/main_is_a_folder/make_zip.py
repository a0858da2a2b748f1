"""A folder called main.py isn't started."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py/__main__.py", "print(1)")
    return made.getvalue()
