import os

from attack import attempt, found

mine = {int(name) for name in os.listdir("/proc") if name.isdigit()}
answers = {attempt(os.kill, pid, 0) for pid in range(2, 33_000) if pid not in mine}
found(answers=sorted(answers - {None}))
