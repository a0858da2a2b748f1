import os

from attack import TARGETS, attempt, found

answers = {
    attempt(os.listdir, path)
    if isinstance(attempt(os.listdir, path), str)
    else "".join(attempt(os.listdir, path))
    for path in TARGETS["folders"]
}
found(seen=sorted(answers - {"", "No such file or directory", "Permission denied"}))
