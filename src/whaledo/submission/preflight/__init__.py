"""Read a submission before it runs: what would fail after an hour in a queue, told in a second."""
