from pathlib import Path

import whale_ünïcødé

CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"

assert whale_ünïcødé.NAME == "ü"
Path("cache/Ünïcødé 🐋").mkdir(parents=True)
print("🐋")
Path("submission/submission.csv").write_text(CSV)
