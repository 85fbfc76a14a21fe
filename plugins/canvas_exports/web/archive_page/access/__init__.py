"""Who may do what on the page, and what is written down of it."""
