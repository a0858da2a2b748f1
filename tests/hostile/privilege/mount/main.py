from attack import buffer, call, found

found(
    mount=call("mount", b"none", b"/tmp", b"tmpfs"),
    remount=call("mount", b"none", b"/code_execution/data", 0, 4128, 0),
    unmount=call("umount2", b"/code_execution/data", 2),
    fsopen=call("fsopen", b"tmpfs"),
    attributes=call("mount_setattr", -100, b"/usr", 0, buffer, 32),
    tree=call("open_tree", -100, b"/usr", 1),
)
