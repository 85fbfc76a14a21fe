"""The part of ``canvas-archive doctor`` that needs Airflow, in a process of its own: ``python -m canvas_exports.airflow_doctor``.

The command itself imports no Airflow. ``airflow_facts`` looks at Airflow and its database, ``connection_facts`` at what the
connections of the backups name.
"""
