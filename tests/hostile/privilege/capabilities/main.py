from attack import found, read

status = dict(line.split(":\t", 1) for line in read("/proc/self/status").splitlines())
names = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
found(
    capabilities=sorted({status[name] for name in names}),
    no_new=status["NoNewPrivs"],
    filtered=status["Seccomp"],
)
