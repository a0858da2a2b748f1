# mypy: ignore-errors
"""Another run on the same machine: holds out whatever one run could see of another, while the looks go on."""

import ctypes
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

TARGETS = json.loads(Path("targets.json").read_text())["neighbour"]
MIB = 1024**2

for path in TARGETS["files"]:
    Path(path).write_text(TARGETS["secret"])
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\0" + TARGETS["abstract"])
abstract.listen()
server = socket.create_server(("0.0.0.0", TARGETS["port"]))
assert ctypes.CDLL(None).shmget(TARGETS["key"], MIB, 0o1666) != -1
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", TARGETS["secret"]])
print("ready", flush=True)
while True:
    time.sleep(0.05)
    alive = child.poll() is None and all(
        Path(path).read_text() == TARGETS["secret"] for path in TARGETS["files"]
    )
    print("undisturbed" if alive else "disturbed", flush=True)
