"""Text for people and from strangers: made harmless, without secrets, in words, in tables."""
