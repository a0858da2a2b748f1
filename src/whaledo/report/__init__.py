"""Numbers and pictures of a submission as one HTML file that opens from disk."""
