"""A run for a reader with a browser: labels beside predictions, judged field by field."""
