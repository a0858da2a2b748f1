import multiprocessing
from multiprocessing import shared_memory
from pathlib import Path

CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"


def square(number):
    return number * number


if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(square, [1, 2, 3]) == [1, 4, 9]
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    block.close()
    block.unlink()
    queue = multiprocessing.Queue()
    queue.put("whale")
    assert queue.get(timeout=5) == "whale"
    Path("submission/submission.csv").write_text(CSV)
