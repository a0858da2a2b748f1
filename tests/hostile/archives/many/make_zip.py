"""A million names are refused before they are read."""

import io
import struct
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        archive.writestr("x/" * 30 + "x", "x")
        start = archive.fp.tell()
        archive.close()
        raw = made.getvalue()
        entry = raw[raw.index(b"PK\1\2") : raw.rindex(b"PK\5\6")]
        raw = raw[:start] + entry * 200_000
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(raw) - start, start, 0)
        return raw + end
    return made.getvalue()
