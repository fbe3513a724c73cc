"""The language model: request, client, transport, validation."""
