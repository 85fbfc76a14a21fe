"""Back up Canvas LMS courses with Apache Airflow: export, wait, stream, prove, publish.

Each line uses only the lines below it::

    cli  dags                          a person: terminal, YAML, form
         operators  triggers  web      Airflow's shells, in Airflow's folder names
         notifications  observability  hooks
    core (imports no Airflow):
         backups  reports              a backup file; what people read
         export  restore               Canvas to archive; archive to Canvas
         archive                       copies: layout, publishing, catalog, verification, retention
         canvas  packages              the API; whether a package is whole
         storage                       S3, GCS, Azure, files, SFTP
         model  text                   values and words of all layers

Errors of all layers are in ``errors``.
"""

__version__ = "0.2.0"
