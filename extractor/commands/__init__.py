"""What the command line does, one noun a module."""
