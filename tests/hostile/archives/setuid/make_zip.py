"""A set-user-ID file is refused."""

import io
import zipfile


def make() -> bytes:
    """The zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "print('started')\n")
        program = zipfile.ZipInfo("program")
        program.create_system, program.external_attr = 3, 0o104755 << 16
        archive.writestr(program, "x")
    return made.getvalue()
