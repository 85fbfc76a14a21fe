"""Back up Canvas LMS courses with Apache Airflow: export, wait, stream, prove, publish."""

__version__ = "0.1.0"
