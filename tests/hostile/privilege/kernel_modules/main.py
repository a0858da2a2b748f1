from attack import buffer, call, found

found(
    module=call("init_module", buffer, 0, buffer),
    file=call("finit_module", 0, buffer, 0),
    kernel=call("kexec_load"),
    reboot=call("reboot", 0),
)
