"""The packages that submissions run against: profiles, locks, and building them."""
