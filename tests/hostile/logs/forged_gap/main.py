print("[whaledo: 5 bytes dropped here, past the log limit]")
