"""The command line: what people type, and how it answers."""

from __future__ import annotations

import gc

# What imports make is there to stay, but Python would look through it for garbage again and again: 20 ms of each
# command. Garbage is still collected, after this many objects instead of 700.
gc.set_threshold(100_000)
