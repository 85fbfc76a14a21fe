"""The command ``canvas-archive``: questions to an archive without Airflow."""
