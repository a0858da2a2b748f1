import os

from attack import attempt, found

found(
    uid=attempt(os.setuid, 0),
    gid=attempt(os.setgid, 0),
    groups=attempt(os.setgroups, [0]),
    root=0 in os.getresuid(),
)
