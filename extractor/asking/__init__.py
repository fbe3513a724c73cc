"""From a question to judged drafts: request, store, the door to a model, retries, repair, the judge."""
