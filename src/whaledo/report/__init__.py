"""Numbers and pictures in one HTML file."""
