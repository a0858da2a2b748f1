import glob

from attack import attempt, found, write

names = ("cgroup.procs", "memory.max", "pids.max", "memory.limit_in_bytes", "tasks", "release_agent")
paths = [path for name in names for path in glob.glob(f"/sys/fs/cgroup/**/{name}", recursive=True)]
found(written=[path for path in paths if attempt(write, path, "0") == "written"])
