from attack import attempt, found, write

found(
    answer=attempt(write, "/proc/sys/kernel/core_pattern", "|/tmp/x"),
    release=attempt(write, "/proc/sysrq-trigger", "h"),
)
