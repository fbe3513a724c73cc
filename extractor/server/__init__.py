"""The extraction service over HTTP, its jobs and its page."""
