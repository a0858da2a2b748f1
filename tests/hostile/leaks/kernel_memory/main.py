import os

from attack import attempt, found


def opened(path):
    answer = attempt(os.open, path, os.O_RDONLY)
    if isinstance(answer, int):
        return "empty" if not attempt(os.read, answer, 16) else "readable"
    return answer


with open("/proc/kallsyms") as file:
    addresses = {line.split()[0].strip("0") for line in file}
found(core=opened("/proc/kcore"), memory=opened("/dev/mem"), addresses=sorted(addresses)[:3])
