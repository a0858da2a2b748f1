import glob
import os

from attack import attempt, found, read, write

# System V and POSIX message queues, semaphores and shared memory, and process numbers: private to the run.
own = "auto_msgmni msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced msg_default msg_max msgsize_default"
own = {*own.split(), "msgsize_max", "queues_max", "pid_max"}
paths = [
    path for area in ("kernel", "vm", "fs") for path in glob.glob(f"/proc/sys/{area}/**", recursive=True)
]
written = [
    path for path in paths if os.path.isfile(path) and attempt(write, path, attempt(read, path)) == "written"
]
found(written=[path for path in written if os.path.basename(path) not in own])
