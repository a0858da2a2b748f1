import os

os.symlink("/etc/passwd", "submission/submission.csv")
