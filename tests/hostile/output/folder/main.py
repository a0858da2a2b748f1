import os

os.makedirs("submission/submission.csv/submission.csv")
