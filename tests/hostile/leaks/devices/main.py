import os

from attack import found

usual = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero console"
found(others=sorted(set(os.listdir("/dev")) - set(usual.split())))
