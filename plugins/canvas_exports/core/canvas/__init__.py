"""The Canvas API: the requests we send, the responses we read, and the transfer of packages. No Airflow, no storage.

The protocol is written without I/O, as flows that both clients run, so they make the same decisions::

    client, async_client    the two clients: blocking for workers, asynchronous for triggers
    api                     endpoints with their arguments, and the objects that Canvas returns
    files                   downloads, random access and uploads of packages
    auth                    new access tokens
    http                    requests and responses, retries, rate limit, credentials, pages of lists
    http.transports         sending over urllib3 and aiohttp

Nothing is imported here: a DAG file that names a context must not pay for two HTTP libraries.
"""
