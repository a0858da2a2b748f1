from pathlib import Path

Path("submission/submission.csv").write_text("")
