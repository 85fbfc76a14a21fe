"""Waiting for Canvas: what is asked next, and when."""
