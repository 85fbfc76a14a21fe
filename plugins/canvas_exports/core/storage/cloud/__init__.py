"""The backends. Each passes the suite in ``tests/core/storage``.

What a backend is made of is imported when a store is opened, never with the module: smart_open alone costs two
seconds, and a DAG file must not pay for it.
"""
