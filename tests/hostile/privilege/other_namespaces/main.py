import os

from attack import call, found

found(
    mount=call("unshare", 0x20000),
    network=call("unshare", 0x40000000),
    time=call("unshare", 0x80),
    join=call("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0),
)
