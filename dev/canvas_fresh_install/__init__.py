"""From pip to a first night: install the wheel, write a project, start ``airflow standalone``, and run the nightly backup.

``environments`` makes the environments, ``first_night`` does the rest, as a user would. ``python -m canvas_fresh_install
--airflow 3.3.1 --before 2026-09-01`` does both.
"""
