# mypy: ignore-errors
# ruff: noqa: PTH111, PTH120, PTH208
# It stands for what a competitor might write, in the terms of the system.
"""What honest submissions do that a wall could get in the way of; prints what came of each as JSON."""

import asyncio
import json
import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import shared_memory
from pathlib import Path

import whale_ünïcødé
from package.inner import NAME

FOUND = {}


def square(number):
    return number * number


def fill(name):
    block = shared_memory.SharedMemory(name)
    block.buf[0] = 42
    block.close()


def serve(server):
    plug, _ = server.accept()
    with plug:
        plug.sendall(plug.recv(10).upper())


def over(family, address):
    """Talk to a server of our own through a socket."""
    with socket.socket(family) as server, socket.socket(family) as plug:
        server.bind(address)
        server.listen()
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        plug.connect(server.getsockname())
        plug.sendall(b"whale")
        answer = plug.recv(10).decode()
        thread.join()
    return answer


async def gather():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(6 * 7)", stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    return int(out)


def main():
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            FOUND[f"pool by {method}"] = pool.map(square, [1, 2, 3])
    with ProcessPoolExecutor(2) as pool:
        FOUND["executor"] = list(pool.map(square, [4, 5]))
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    child = multiprocessing.Process(target=fill, args=(block.name,))
    child.start()
    child.join()
    FOUND["shared memory"] = block.buf[0]
    block.close()
    block.unlink()
    queue = multiprocessing.Queue()
    queue.put("through a semaphore")
    FOUND["queue"] = queue.get(timeout=5)
    with ThreadPoolExecutor(16) as pool:
        FOUND["threads"] = sum(pool.map(square, range(10)))
    FOUND["IPv4"] = over(socket.AF_INET, ("127.0.0.1", 0))
    FOUND["IPv6"] = over(socket.AF_INET6, ("::1", 0))
    FOUND["by name"] = over(socket.AF_INET, ("localhost", 0))
    FOUND["socket file"] = over(socket.AF_UNIX, "/tmp/socket")
    FOUND["abstract socket"] = over(socket.AF_UNIX, "\0whale")
    FOUND["asyncio"] = asyncio.run(gather())
    FOUND["shell"] = subprocess.run(
        "echo $((6 * 7)) | tr -d '\\n'", shell=True, capture_output=True, text=True
    ).stdout
    with sqlite3.connect("cache.db") as database:
        database.execute("create table whales (name)")
        FOUND["database"] = database.execute("select count(*) from whales").fetchone()
    with tempfile.NamedTemporaryFile() as file:
        FOUND["temporary file"] = os.path.dirname(file.name)
    Path("cache/Ünïcødé 🐋").mkdir(parents=True)
    FOUND["names"] = os.listdir("cache")
    FOUND["own module"] = [whale_ünïcødé.NAME, NAME]
    main_py = Path("main.py")
    main_py.write_text(main_py.read_text() + "# the code folder is ours\n")
    FOUND["user"] = [os.path.expanduser("~"), os.getenv("USER"), os.cpu_count() > 0, time.tzname[0]]
    FOUND["memory file"] = os.write(os.memfd_create("whale"), b"whale")
    for number in range(2000):
        print(f"{number}: progress 🐋", "." * 100)
    Path("submission/submission.csv").write_text("query_id,database_image_id,score\nq1,b,0.9\nq2,a,0.5\n")
    print(json.dumps(FOUND))


if __name__ == "__main__":
    main()
