"""Run one submission behind walls, and say how it ended."""
