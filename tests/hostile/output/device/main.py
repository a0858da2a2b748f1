import os

os.mknod("submission/submission.csv", 0o020666, os.makedev(1, 5))
