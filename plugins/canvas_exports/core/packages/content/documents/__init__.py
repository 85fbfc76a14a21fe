"""Read the document of an item: its text, settings, questions and tables."""
