"""multiprocessing by fork, spawn and forkserver: pools, queues, shared memory, semaphores, managers."""

import math
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.managers import SharedMemoryManager
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import Semaphore


def fill(name: str, gate: Semaphore, queue: "mp.Queue[str]") -> None:
    memory = SharedMemory(name)
    with gate, memoryview(memory.buf or b"") as shared:
        shared[:5] = b"whale"
    memory.close()
    queue.put("filled")


if __name__ == "__main__":
    for context in (mp.get_context("fork"), mp.get_context("spawn"), mp.get_context("forkserver")):
        with context.Pool(2) as pool:
            assert pool.map(math.isqrt, range(100)) == [math.isqrt(n) for n in range(100)]
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            assert list(executor.map(math.isqrt, [81, 49])) == [9, 7]

        memory = SharedMemory(create=True, size=1 << 20)
        gate, queue = context.Semaphore(1), context.Queue()
        process = context.Process(target=fill, args=(memory.name, gate, queue))
        process.start()
        assert queue.get(timeout=60) == "filled"
        process.join()
        assert bytes(memory.buf or b"")[:5] == b"whale"
        memory.close()
        memory.unlink()

        with context.Manager() as manager:
            assert manager.dict({"a": 1})["a"] == 1
        assert context.Array("i", 3)[2] == 0
    with SharedMemoryManager() as keeper:
        assert keeper.ShareableList(["a", "b"]).count("b") == 1
