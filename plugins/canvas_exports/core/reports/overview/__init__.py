"""What the page *Canvas archive* shows of one archive, from a snapshot in a temporary file; it only reads the archive.

``archive_overview.ArchiveOverview`` keeps the snapshot of one archive fresh and answers at once; its ``Snapshot`` has the figures
of the overview, the list of courses, and each course. ``figures`` and ``course_view`` say what they consist of.
"""
