"""A submission.csv in the zip isn't taken for the run's."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("submission/submission.csv", "x")
    return made.getvalue()
