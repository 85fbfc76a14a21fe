"""Archives on S3, Google Cloud Storage and Azure: obstore moves the bytes, the cloud's SDK lists, locks and aborts.

obstore is imported when a store is opened, an SDK by its first request: a DAG file must not pay for them.
"""
