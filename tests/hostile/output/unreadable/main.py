import os

open("submission/submission.csv", "w").write("x")
os.chmod("submission/submission.csv", 0)
