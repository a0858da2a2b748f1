import glob

from attack import TARGETS, attempt, found, read

secret = TARGETS["neighbour"]["secret"]
lines = [attempt(read, path) for path in glob.glob("/proc/[0-9]*/cmdline")]
found(seen=sum(secret in line for line in lines))
