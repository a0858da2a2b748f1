import glob
import os

from attack import attempt, found

# Those of the look itself: its pipe, and the listing's own.
links = {attempt(os.readlink, path).split(":")[0] for path in glob.glob("/proc/self/fd/*")}
ours = {"/dev/null", "pipe", "/run/whaledo/log", "No such file or directory"}
found(
    others=sorted(
        link for link in links - ours if not link.startswith("/proc/") and not link.endswith("/main.py")
    )
)
