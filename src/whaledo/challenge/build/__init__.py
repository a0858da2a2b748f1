"""Build a challenge from anyone's table of identified photographs."""
