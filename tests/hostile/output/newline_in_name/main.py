open("submission/submission.csv\n", "w")
