"""From bytes to sentences: documents, decoding, language, boilerplate, passages."""
