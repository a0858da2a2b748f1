import os

from attack import attempt, found

found(truncated=attempt(os.ftruncate, 1, 0), seek=attempt(os.lseek, 1, 0, os.SEEK_SET))
