import os

from attack import TARGETS, attempt, found, read

pids = [name for name in os.listdir("/proc") if name.isdigit()]
lines = [attempt(read, f"/proc/{pid}/cmdline") for pid in pids]
host = [
    line
    for line in lines
    if "pytest" in line or ("whaledo" in line.replace("whaledo\0env", "") and "read -r" not in line)
]
found(few=len(pids) < 6, host=host, target=os.path.exists(f"/proc/{TARGETS['pid']}/cmdline"))
