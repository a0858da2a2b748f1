import time
from pathlib import Path

for number in range(64):
    try:
        Path(f"submission/{number}").write_bytes(bytes(1 << 20))
    except OSError:
        pass
time.sleep(0.5)
raise SystemExit(1)
