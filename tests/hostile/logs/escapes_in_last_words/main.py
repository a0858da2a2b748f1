import sys

sys.stdout.write("\x1b]0;owned\x07\x1b[2J")
raise SystemExit(3)
