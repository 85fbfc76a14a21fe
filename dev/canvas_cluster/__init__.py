"""A distributed Airflow on one machine, without containers, every process of which can be killed on its own."""
