import time

from attack import attempt, found

found(answer=attempt(time.clock_settime, time.CLOCK_REALTIME, 0))
