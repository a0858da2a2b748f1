from pathlib import Path

Path("submission/submission.csv").write_text("query_id,database_image_id,score\n\x1b]0;title\x07,b,0.5\n")
