"""sqlite3 with its locks and its write-ahead log in shared memory."""

import sqlite3

one, two = (sqlite3.connect("/tmp/whales.db") for _ in range(2))
assert one.execute("pragma journal_mode=wal").fetchone() == ("wal",)
with one:
    one.execute("create table whale (name text)")
    one.executemany("insert into whale values (?)", [("beluga",)] * 1000)
assert two.execute("select count(*) from whale").fetchone() == (1000,)
