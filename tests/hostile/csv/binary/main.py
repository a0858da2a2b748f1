from pathlib import Path

Path("submission/submission.csv").write_bytes(bytes(range(256)) * 4000)
