"""Where words stand in an article: folding, quotes, and the article as the source of every text."""
