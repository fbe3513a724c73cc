"""A provider's batches: the requests of many articles as files, answered within a day at half the price."""
