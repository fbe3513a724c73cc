"""HTML pages that show records beside the words of their evidence."""
