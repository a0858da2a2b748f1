"""asyncio: tasks, threads, a local server, child processes, signals."""

import asyncio
import os
import signal


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"whale\n")
    assert await reader.readline() == b"whale\n"
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    await ask(*await asyncio.open_connection(*server.sockets[0].getsockname()[:2]))
    await asyncio.start_unix_server(echo, "/tmp/socket")
    await ask(*await asyncio.open_unix_connection("/tmp/socket"))

    process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    assert (await process.communicate(b"whale"))[0] == b"whale"
    assert await asyncio.to_thread(os.getpid) == os.getpid()

    came = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, came.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(came.wait(), 10)


asyncio.run(main())
