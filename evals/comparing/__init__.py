"""What became of the figures: runs compared, gated, tabled; annotators compared."""
