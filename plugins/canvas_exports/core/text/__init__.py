"""Text for people: times and sizes in words, tables, files that people write, and logs without secrets."""
