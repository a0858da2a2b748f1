"""Processors, priorities, limits and usage, as thread pools and monitors ask for them."""

import os
import platform
import random
import resource

mine = os.sched_getaffinity(0)
os.sched_setaffinity(0, {min(mine)})
os.sched_setaffinity(0, mine)
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
assert os.sched_getscheduler(0) == os.SCHED_BATCH
assert os.sched_get_priority_max(os.SCHED_FIFO) > 0
os.sched_yield()
assert os.nice(5) >= 5
os.setpriority(os.PRIO_PROCESS, 0, 10)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
assert resource.prlimit(0, resource.RLIMIT_CORE) == (0, 0)
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
os.setgid(os.getgid())
os.setuid(os.getuid())
assert os.getgroups() is not None
assert os.times().elapsed > 0
assert platform.machine()
assert len(os.urandom(16)) == 16
assert 0 <= random.SystemRandom().random() < 1
