"""The content of a course, group or user: the model, its deterministic generation, and selections."""
