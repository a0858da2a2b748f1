import os
import subprocess

from attack import attempt, found


def output(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5).stdout


programs = [
    path
    for path in ("/usr/bin/su", "/usr/bin/sudo", "/usr/bin/pkexec", "/usr/bin/fusermount3")
    if os.path.exists(path)
]
found(root=[path for path in programs if "uid=0" in attempt(output, path, "-c", "id")])
