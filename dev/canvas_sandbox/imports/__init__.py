"""Content migrations: what comes in, where its bytes are kept, what it is read as, and what a course then holds."""
