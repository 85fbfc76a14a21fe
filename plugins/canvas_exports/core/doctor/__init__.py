"""Check whether everything that a backup needs is there: Canvas and its permissions, the archive, the backup files.

Each check returns facts, each with a next step where something is wrong. What is checked in Airflow is in
``canvas_exports.airflow_doctor``.
"""
