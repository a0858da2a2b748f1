"""The program has another name."""

import io
import zipfile
from pathlib import Path


def make() -> bytes:
    """A zip with predict.py alone."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.write(Path(__file__).with_name("predict.py"), "predict.py")
    return made.getvalue()
