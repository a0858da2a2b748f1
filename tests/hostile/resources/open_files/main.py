import os

from attack import attempt, found

held = 0
while attempt(os.dup, 0) != "Too many open files" and held < 10_000:
    held += 1
found(**{"under the limit": held < 4096})
