"""Verify stored packages again, and record the results."""
