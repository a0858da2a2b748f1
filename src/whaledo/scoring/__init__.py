"""Read rankings strictly, and score them."""
