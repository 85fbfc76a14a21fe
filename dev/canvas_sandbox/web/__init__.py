"""HTTP: both listeners, Canvas's layers, and its endpoints.

`server` turns requests of aiohttp into a `Call` and writes the `Response`. `middleware` takes a call through Canvas's
layers (edge, throttle, routing, credentials) to a handler; a handler is a function from `Call` to `Response` without
sockets. `api` is the REST API by resource, `storage` are files, uploads and the other host, `control` are the sandbox's
own endpoints, `http` is the protocol. Uploads go to the disk before their handler is called, and so do the files that
`fetch_url` downloads.
"""
