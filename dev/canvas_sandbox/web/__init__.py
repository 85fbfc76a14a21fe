"""The HTTP surface.

`middleware` takes a request through Canvas's layers (edge, throttle, routing, credentials) to a handler; handlers are plain
functions from a `Call` to a `Response` and know nothing of sockets; `send` puts a response on the wire, with whatever fault
belongs to it. Rooms by resource: `courses`, `listings`, `exports`, `migrations`, `uploads`, `progress`, `users`, `places`,
`files`, and `people` with the pages that a browser shows; `storage` is the other host, `control` the sandbox's own endpoints. UploadEndpoints do not fit into a `Call`: `receive`
takes them to the disk first, as `fetching` does with files behind links.
"""
