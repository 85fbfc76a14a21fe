"""From a course list to batches."""
