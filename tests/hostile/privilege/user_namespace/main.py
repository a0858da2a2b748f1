from attack import call, found

found(unshare=call("unshare", 0x10000000), clone=call("clone", 0x10000000 | 17), clone3=call("clone3", 0, 0))
