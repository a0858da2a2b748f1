from pathlib import Path

Path("submission/submission.csv").write_text(
    "query_id,database_image_id,score\n"
    + "".join(f"q1,{letter},0.5\n" for letter in "bcabcabcabcabcabcabcabc")
)
