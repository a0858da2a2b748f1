"""An upload that broke off."""

import io
import zipfile


def make() -> bytes:
    """The first half of a zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')")
    return made.getvalue()[:60]
