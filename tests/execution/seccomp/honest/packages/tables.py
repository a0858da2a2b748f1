"""pandas and pyarrow: CSV and Parquet, by threads and through mapped memory."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

frame = pd.DataFrame({"query_id": [f"q{n}" for n in range(10_000)], "score": 0.5})
frame.to_csv("/tmp/frame.csv", index=False)
assert pd.read_csv("/tmp/frame.csv").equals(frame)
pq.write_table(pa.Table.from_pandas(frame), "/tmp/frame.parquet")
assert pq.read_table("/tmp/frame.parquet", memory_map=True).num_rows == 10_000
