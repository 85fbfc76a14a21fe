"""Waiting without a worker: triggers run in Airflow's triggerer."""
