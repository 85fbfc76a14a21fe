"""Build the site of ``docs/``: hooks of mkdocs, and what is generated from the code."""
