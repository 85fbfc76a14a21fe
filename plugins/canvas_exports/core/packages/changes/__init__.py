"""What changed between two packages of courses, as a person means it: pages, due dates, questions; not files of a zip."""
