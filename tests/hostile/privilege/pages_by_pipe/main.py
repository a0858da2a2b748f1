import os

from attack import call, found

found(
    splice=call("splice", 0, 0, os.pipe()[1], 0, 1),
    vmsplice=call("vmsplice", os.pipe()[1]),
    tee=call("tee", os.pipe()[0], os.pipe()[1], 1),
)
