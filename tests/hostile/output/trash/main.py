import os
from pathlib import Path

CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"


Path("submission/submission.csv").write_text(CSV)
os.chdir("submission")
for name in ("a\nb", "-rf", b"\xff\xfe", " ", "\x1b[31m", "ü" * 120):
    open(name, "w").close()
    os.makedirs(os.path.join("closed", os.fsdecode(name)))
os.chmod("closed", 0)
os.symlink("/", "root")
os.mkfifo("fifo")
