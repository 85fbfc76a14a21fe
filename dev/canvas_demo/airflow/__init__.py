"""An Airflow in one folder: its processes, its REST API, and the progress of a run."""
