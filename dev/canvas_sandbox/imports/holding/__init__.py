"""What a course holds from its imports, and how it is exported again."""
