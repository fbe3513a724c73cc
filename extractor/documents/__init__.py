"""Documents: decoding, language, boilerplate, sentences, passages, folding."""
