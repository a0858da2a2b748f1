"""What this host's walls are worth: every promise is attacked, and what is missing gets a way to mend it."""
