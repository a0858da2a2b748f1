"""Files of every kind that is ours to make, copied, locked, mapped, renamed, and looked at."""

import fcntl
import mmap
import os
import shutil
import socket
import stat
import tarfile
import tempfile
from pathlib import Path

os.chdir(tempfile.mkdtemp())
Path("folder/below").mkdir(parents=True)
Path("folder/file").write_bytes(os.urandom(1 << 16))
Path("folder/link").symlink_to("file")
os.link("folder/file", "folder/second")
os.mkfifo("folder/pipe")
os.mknod("folder/plain", 0o100600)
os.mknod("folder/local", stat.S_IFSOCK | 0o600)
Path("folder/below").chmod(0o1777)
os.utime("folder/file", (1, 2))
for special in ("pipe", "plain", "local"):
    Path("folder", special).unlink()

shutil.copytree("folder", "copy", symlinks=True)
assert Path("copy/file").read_bytes() == Path("folder/file").read_bytes()
assert Path("copy/file").stat().st_mtime == 2
shutil.make_archive("packed", "gztar", "copy")
with tarfile.open("packed.tar.gz") as archive:
    archive.extractall("unpacked")
shutil.rmtree("copy")
Path("unpacked").rename("moved")
assert sorted(entry.name for entry in os.scandir("moved")) == ["below", "file", "link", "second"]
assert shutil.disk_usage(".").total > 0

with Path("locked").open("w+b") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
    os.posix_fallocate(file.fileno(), 0, 1 << 20)
    os.truncate("locked", 1 << 16)
    with mmap.mmap(file.fileno(), 0) as memory:
        memory[:5] = b"whale"
        memory.flush()
        memory.madvise(mmap.MADV_RANDOM)
    os.pwrite(file.fileno(), b"s", 5)
    os.fsync(file.fileno())
    assert os.preadv(file.fileno(), [bytearray(6)], 0) == 6
with tempfile.TemporaryFile() as unnamed, Path("locked").open("rb") as file:
    assert os.copy_file_range(file.fileno(), unnamed.fileno(), 100) == 100
os.umask(0o27)

descriptor = os.open("locked", os.O_RDONLY, 0o6755)
assert not os.isatty(descriptor)
with socket.socket(socket.AF_UNIX) as local:
    local.bind("socket")
