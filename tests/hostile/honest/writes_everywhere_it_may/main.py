import sqlite3
import tempfile
from pathlib import Path

CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"

with sqlite3.connect("cache.db") as database:
    database.execute("create table whales (name)")
with tempfile.NamedTemporaryFile() as file:
    assert file.name.startswith("/tmp/")
Path("main.py").write_text(Path("main.py").read_text() + "# the code folder is ours")
Path("/dev/shm/x").write_bytes(bytes(1 << 20))
Path("submission/submission.csv").write_text(CSV)
