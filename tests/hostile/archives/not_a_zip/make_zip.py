"""Something else under the name of a zip."""


def make() -> bytes:
    """A text."""
    return b"this is no zip"
