import os

from attack import attempt, found

found(
    realtime=attempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1)),
    nice=attempt(os.setpriority, os.PRIO_PROCESS, 0, -5),
)
