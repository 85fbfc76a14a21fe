"""What a package holds, as a person names it: modules, pages, assignments, quizzes, files."""
