"""Airflow connections turned into clients: ``canvas`` for Canvas, ``archive`` for object storage."""
