"""The product without Airflow and without the command line. Nothing in it imports Airflow."""
