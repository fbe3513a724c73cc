"""From a corpus to a run: articles and labels, the system that reads them, recordings, run files."""
