"""Threads, their names and locks, more than there are processors."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(16) as pool:
    assert sum(pool.map(len, ["whale"] * 1000)) == 5000

condition = threading.Condition()
seen: list[str] = []


def wait() -> None:
    with condition:
        condition.wait_for(lambda: seen, timeout=10)
        seen.append(threading.current_thread().name)


waiting = threading.Thread(target=wait, name="waiter")
waiting.start()
with condition:
    seen.append("main")
    condition.notify()
waiting.join()
assert seen == ["main", "waiter"]
assert os.cpu_count()
