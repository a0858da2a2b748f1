import os

from attack import attempt, found

made = os.open("/tmp/setuid", os.O_CREAT | os.O_RDWR, 0o755)
found(
    chmod=attempt(os.chmod, "/tmp/setuid", 0o4755),
    fchmod=attempt(os.fchmod, made, 0o2755),
    new=str(attempt(os.open, "/tmp/new", os.O_CREAT | os.O_RDWR, 0o4755)),
    unnamed=str(attempt(os.open, "/tmp", os.O_TMPFILE | os.O_RDWR, 0o4755)),
    folder=attempt(os.mkdir, "/tmp/folder", 0o2755),
)
