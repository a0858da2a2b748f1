"""A main.py in another encoding is a crash that says so."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", b"name = 'Bal\xe9n'")
    return made.getvalue()
