"""From bytes to sentences: documents, their encoding, language, noise, passages."""
