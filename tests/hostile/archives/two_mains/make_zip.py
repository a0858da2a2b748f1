"""Two files of one name are refused, so that nobody looks at one and runs the other."""

import io
import warnings
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr("main.py", "print(2)")
    return made.getvalue()
