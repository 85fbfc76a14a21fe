"""What a course (or a group, or a person) holds: the model, its deterministic generation, and what a selection picks of it."""
