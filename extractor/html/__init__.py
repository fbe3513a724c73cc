"""HTML pages in which every record stands beside the words that say it."""
