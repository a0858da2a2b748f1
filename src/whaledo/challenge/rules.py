"""What holds for a challenge unless its challenge.toml says otherwise: the rules of the beluga challenge.

Apart from `model`, because scoring against a mere labels file needs no more than this of it.
"""

from __future__ import annotations

ROWS_PER_QUERY = 20
"""How many database images a submission may rank for a query."""

PUBLIC_COLUMNS = ("image_id", "path", "height", "width", "viewpoint", "date")
"""The columns of metadata.csv that a submission sees in the official runtime."""

IDENTITY_COLUMNS = ("whale_id", "identity")
"""Where identities stand in metadata.csv, in order of preference."""
