import os

from attack import found

found(
    id=os.path.exists("/etc/machine-id") and bool(open("/etc/machine-id").read().strip()),
    serial=[
        name
        for name in ("product_uuid", "product_serial", "board_serial")
        if os.access(f"/sys/class/dmi/id/{name}", os.R_OK)
    ],
    name=os.uname().nodename,
)
