"""A report: one HTML file in which every record stands beside the words that say it."""
