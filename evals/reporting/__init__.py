"""HTML pages of runs: labels beside predictions, judged field by field."""
