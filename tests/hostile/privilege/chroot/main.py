from attack import call, found

found(chroot=call("chroot", b"/tmp"), pivot=call("pivot_root", b"/tmp", b"/tmp"))
