import os

from attack import attempt, found

found(
    remove=attempt(os.remove, "data/images/a.jpg"),
    move=attempt(os.rename, "data", "data2"),
    link=attempt(os.link, "data/metadata.csv", "/tmp/metadata.csv"),
    mode=attempt(os.chmod, "data/metadata.csv", 0o777),
    times=attempt(os.utime, "data/metadata.csv"),
)
