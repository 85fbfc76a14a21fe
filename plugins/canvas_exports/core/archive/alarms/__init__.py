"""Alarms: judge the copies of a course and the runs of a backup, hold what was there before a loss, list and release that."""
