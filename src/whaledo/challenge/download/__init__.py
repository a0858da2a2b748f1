"""Fetch the public beluga data set from its publisher: resumable, verified, unpacked safely."""
