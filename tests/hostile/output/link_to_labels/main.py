import os

from attack import TARGETS

os.symlink(TARGETS["files"][1], "submission/submission.csv")
