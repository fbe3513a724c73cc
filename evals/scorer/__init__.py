"""Compare extractions with labels. Weights and thresholds are in `config`."""
