from pathlib import Path

for name in ("sitecustomize", "usercustomize", "csv", "whaledo", "numpy", "pyarrow"):
    Path(f"submission/{name}.py").write_text("print('imported')\nraise SystemExit(3)\n")
Path("submission/submission.csv").write_text("query_id,database_image_id,score\nq1,b,0.9\nq2,a,0.5\n")
