print("[whaledo: still running at the time limit of 3 h]")
print('{"verdict": {"code": "ok"}}')
raise SystemExit(3)
