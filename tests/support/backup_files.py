"""Texts of backup files."""

from __future__ import annotations

GOOD = """
name: {name}
schedule: "0 2 * * *"
timezone: America/Chicago
courses: {{ids: [101, sis_course_id:BIO-101]}}
archive: "{{{{ var.value.canvas_archive }}}}"
"""
