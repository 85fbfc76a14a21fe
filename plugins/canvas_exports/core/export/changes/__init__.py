"""Find out whether a course has changed since its last export, without asking for another."""
