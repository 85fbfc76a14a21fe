"""The DAGs this package offers: backups from YAML, and the manual run with its form.

``tasks`` holds the three tasks that all of them share; ``backups`` builds a DAG from each backup file; ``by_hand`` the
DAG whose trigger form a person fills in, from the fields in ``form``; ``restoring`` and ``drilling`` bring courses back,
by a form and for trial. The files in the DAG folder only call these.
"""
