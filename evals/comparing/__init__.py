"""Compare runs, gate them on accepted figures, and compare annotators."""
