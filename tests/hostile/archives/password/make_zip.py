"""The flag of encryption is set in both headers."""

import io
import zipfile


def make() -> bytes:
    """A zip that claims to be encrypted."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')")
    raw = bytearray(made.getvalue())
    raw[6] |= 1
    raw[raw.index(b"PK\1\2") + 8] |= 1
    return bytes(raw)
