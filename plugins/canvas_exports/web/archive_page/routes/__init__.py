"""The routes of the page: the overview and the courses, a course, its actions, its content, comparisons, search."""
