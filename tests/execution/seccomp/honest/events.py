"""Waiting: timers, signals, and descriptors for events, signals, timers and changes of files."""

import ctypes
import os
import select
import selectors
import signal
import struct
import time

libc = ctypes.CDLL(None, use_errno=True)

fired: list[int] = []
signal.signal(signal.SIGALRM, lambda number, _: fired.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
signal.alarm(60)
signal.alarm(0)
assert fired == [signal.SIGALRM]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
os.kill(os.getpid(), signal.SIGUSR1)
assert signal.sigtimedwait([signal.SIGUSR1], 10)

watched = os.eventfd(0)
watching = libc.inotify_init1(0)
assert libc.inotify_add_watch(watching, b"/tmp", 0x100) > 0
timer = libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
assert libc.timerfd_settime(timer, 0, struct.pack("4q", 0, 0, 0, 1_000_000), None) == 0
signals = libc.signalfd(-1, struct.pack("16Q", 1 << signal.SIGUSR2 - 1, *[0] * 15), 0)

waiting = select.epoll()
for descriptor in (watched, watching, timer, signals):
    waiting.register(descriptor, select.EPOLLIN)
os.eventfd_write(watched, 1)
os.close(os.open("/tmp/new", os.O_CREAT))
os.kill(os.getpid(), signal.SIGUSR2)
time.sleep(0.01)
assert sorted(descriptor for descriptor, _ in waiting.poll(10)) == sorted([watched, watching, timer, signals])
assert select.select([watched], [], [], 0)[0] == [watched]
assert select.poll().poll(1) == []
selectors.DefaultSelector().close()

SIGEV_NONE = struct.pack("16i", 0, 0, 0, 1, *[0] * 12)
assert libc.timer_create(time.CLOCK_REALTIME, SIGEV_NONE, ctypes.byref(ctypes.c_void_p())) == 0
assert time.clock_getres(time.CLOCK_PROCESS_CPUTIME_ID) > 0
