"""Factories of the DAGs in the DAG folder, whose files only call them.

``backups`` builds a DAG from each backup file and ``manual_export`` the DAG with the trigger form, both with the tasks of
``backup_tasks`` and the form fields of ``trigger_form``. ``restore``, ``restore_drill`` and ``verify`` build one DAG each.
``mail_alerts`` adds mails to tasks.
"""
