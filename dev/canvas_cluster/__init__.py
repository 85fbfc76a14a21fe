"""A distributed Airflow on one machine, without containers. Every process of it can be killed on its own."""
