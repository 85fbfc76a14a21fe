"""Pages for people: what a run did, and what the archive holds."""
