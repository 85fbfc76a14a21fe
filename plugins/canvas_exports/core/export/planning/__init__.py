"""Turn course lists into batches."""
