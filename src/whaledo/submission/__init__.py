"""What a competitor hands in: packing a folder into a zip."""
