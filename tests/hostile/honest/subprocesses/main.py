import asyncio
import subprocess
import sys
from pathlib import Path

CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"


async def gather():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(42)", stdout=subprocess.PIPE)
    return (await child.communicate())[0]


assert subprocess.run("echo $((6 * 7)) | tr -d 4", shell=True, capture_output=True).stdout == b"2\n"
assert asyncio.run(gather()) == b"42\n"
Path("submission/submission.csv").write_text(CSV)
