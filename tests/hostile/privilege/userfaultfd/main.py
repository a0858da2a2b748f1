import os

from attack import attempt, call, found

found(answer=call("userfaultfd", 1), device=str(attempt(os.open, "/dev/userfaultfd", os.O_RDWR)))
