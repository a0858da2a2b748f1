import os

from attack import attempt, found

found(
    disk=attempt(os.mknod, "/tmp/disk", 0o060666, os.makedev(254, 0)),
    null=attempt(os.mknod, "/tmp/null", 0o020666, os.makedev(1, 3)),
)
