"""The data that a submission reads: load, check, ground truth, public view, and the synthetic demo."""
