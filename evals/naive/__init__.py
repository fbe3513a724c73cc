"""The naive baseline: the program of a good newcomer."""
