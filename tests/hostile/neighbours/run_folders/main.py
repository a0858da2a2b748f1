import os

from attack import found, read

sources = {line.split()[3] for line in read("/proc/self/mountinfo").splitlines()}
reached = [path for path in sources if "runs/" in path and os.path.exists(os.path.dirname(path.rstrip("/")))]
found(reached=reached)
